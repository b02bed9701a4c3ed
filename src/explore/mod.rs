//! The engine behind a page that shows pooling: a request in, an answer out, on any backend and in any host.
//!
//! A host takes requests from a page, as JSON from a browser's `fetch` or as messages to a Web Worker, and hands them to
//! [`Engine::answer`]. Nothing runs between requests: a page trains by asking for some more steps again and again, so a
//! page that leaves costs nothing.
//!
//! ```
//! # #[cfg(all(feature = "flex", feature = "bundled-mnist"))] {
//! use burn_pooling::backend::{Autodiff, Flex};
//! use burn_pooling::explore::{Answer, Engine, Request};
//! use burn_pooling::mnist::ImageSets;
//!
//! let clock = || 0.0; // seconds; only measurements need it
//! let mut engine = Engine::<Autodiff<Flex>>::new(ImageSets::load(None)?, Default::default(), clock)?;
//! let request: Request = serde_json::from_str(r#"{ "request": "train", "network": 2, "steps": 10 }"#)?;
//! let Answer::Trained { images, figures, .. } = engine.answer(request) else { panic!("an answer to the request") };
//! assert!(images == 1280 && figures.loss.is_finite());
//!
//! let failed = engine.answer(Request::TestImage { index: 10_000 });
//! let Answer::Failed { error } = failed else { panic!("an error") };
//! assert_eq!(error, "test image: expected a number below 10000, found 10000");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod column;
mod engine;
mod error;
mod message;
mod numbers;
mod page;
#[cfg(feature = "server")]
mod server;

pub use engine::{Engine, MOST_CHANGES, MOST_STEPS};
pub use error::EngineError;
pub use message::{Answer, Change, Explained, Figures, Layer, Map, Network, Progress, Request, Stage};
pub use numbers::{Bytes, Numbers};
pub use page::{PAGE, PageFile};
#[cfg(feature = "server")]
pub use server::Server;
