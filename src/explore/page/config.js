// Which host the engine has: "server", or "worker" for a page without a server.
export const host = "server";
