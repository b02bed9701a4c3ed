//! The module as it is built: the tree of its modules and the parameters they hold.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bool, DType, Int, Tensor};
use burn_ir::TensorId;

use super::trace::TraceBackend;

/// The number of a module in [`ModuleTree::nodes`].
pub(super) type NodeId = usize;

/// The root module.
pub(super) const ROOT: NodeId = 0;

/// One module.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub parent: Option<NodeId>,
    /// Path from the root, such as `encoder.layers.0.norm_1`; empty for the root.
    pub path: String,
    /// Its Burn type, such as `Linear`; unknown for a module without parameters.
    pub kind: Option<String>,
    /// Whether it is a plain container: a list, an array, a tuple.
    pub is_list: bool,
    pub has_children: bool,
}

/// A tensor that the module holds.
#[derive(Clone, Debug)]
pub(super) struct ModuleTensor {
    pub node: NodeId,
    /// Path from the root, such as `conv1.weight`.
    pub path: String,
    pub parameter: ParamId,
    pub tensor: TensorId,
    pub shape: Vec<usize>,
    pub dtype: DType,
    /// Whether it is trained; unknown without automatic differentiation.
    pub trainable: bool,
}

impl ModuleTensor {
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn bytes(&self) -> usize {
        self.elements() * self.dtype.size()
    }
}

/// The modules and the tensors that they hold, in the order of their declaration.
#[derive(Clone, Debug)]
pub(super) struct ModuleTree {
    pub nodes: Vec<Node>,
    pub tensors: Vec<ModuleTensor>,
}

impl ModuleTree {
    pub fn of<B: TraceBackend, M: Module<B>>(module: &M) -> Self {
        let mut collector = Collector {
            nodes: vec![Node {
                parent: None,
                path: String::new(),
                kind: None,
                is_list: false,
                has_children: false,
            }],
            tensors: Vec::new(),
            stack: vec![Level::Module(ROOT)],
        };
        module.visit(&mut collector);
        let mut tree = Self { nodes: collector.nodes, tensors: collector.tensors };
        tree.forget_parameters();
        tree
    }

    /// Parameters are entered and left like modules: their nodes hold a tensor and nothing else.
    fn forget_parameters(&mut self) {
        for tensor in &mut self.tensors {
            if let Some(parent) = self.nodes[tensor.node].parent
                && self.nodes[tensor.node].kind.is_none()
            {
                tensor.node = parent;
            }
        }
        for index in 1..self.nodes.len() {
            if self.nodes[index].kind.is_some()
                && let Some(parent) = self.nodes[index].parent
            {
                self.nodes[parent].has_children = true;
            }
        }
    }

    /// The modules that are fields of the node.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len()).filter(move |&child| {
            self.nodes[child].parent == Some(node) && self.nodes[child].kind.is_some()
        })
    }

    /// Whether the node or a module in it holds a tensor.
    pub fn holds_tensors(&self, node: NodeId) -> bool {
        self.tensors.iter().any(|tensor| self.contains(node, tensor.node))
    }

    /// The node and its ancestors, the node first.
    pub fn ancestors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(node), |&node| self.nodes[node].parent)
    }

    /// The deepest module that holds both.
    pub fn common(&self, a: NodeId, b: NodeId) -> NodeId {
        self.ancestors(a).find(|&ancestor| self.contains(ancestor, b)).unwrap_or(ROOT)
    }

    /// Whether `inner` is `outer` or lies inside.
    pub fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        self.ancestors(inner).any(|ancestor| ancestor == outer)
    }

    /// The modules from the root down to the node, without lists.
    pub fn lineage(&self, node: NodeId) -> Vec<NodeId> {
        let mut lineage: Vec<_> =
            self.ancestors(node).filter(|&node| !self.nodes[node].is_list).collect();
        lineage.reverse();
        lineage
    }

    /// The module's Burn type.
    pub fn kind(&self, node: NodeId) -> &str {
        self.nodes[node].kind.as_deref().unwrap_or("Module")
    }
}

enum Level {
    Module(NodeId),
    /// A variant of an enum module, which is no step of the path.
    Variant,
}

struct Collector {
    nodes: Vec<Node>,
    tensors: Vec<ModuleTensor>,
    stack: Vec<Level>,
}

impl Collector {
    fn current(&self) -> NodeId {
        self.stack
            .iter()
            .rev()
            .find_map(|level| match level {
                Level::Module(node) => Some(*node),
                Level::Variant => None,
            })
            .unwrap_or(ROOT)
    }

    fn add(
        &mut self,
        parameter: ParamId,
        tensor: TensorId,
        shape: &[usize],
        dtype: DType,
        trainable: bool,
    ) {
        let node = self.current();
        self.tensors.push(ModuleTensor {
            node,
            path: self.nodes[node].path.clone(),
            parameter,
            tensor,
            shape: shape.to_vec(),
            dtype,
            trainable,
        });
    }
}

impl<B: TraceBackend> ModuleVisitor<B> for Collector {
    fn enter_module(&mut self, name: &str, container: &str) {
        let parent = self.current();
        let (sort, kind) = container.split_once(':').unwrap_or((container, container));
        let node = &mut self.nodes[parent];
        node.is_list = matches!(sort, "Vec" | "Array" | "Tuple");
        // Of an enum and the module in its variant, the module says more.
        node.kind = Some(kind.to_string());
        if sort == "Enum" {
            self.stack.push(Level::Variant);
            return;
        }
        let path = match self.nodes[parent].path.as_str() {
            "" => name.to_string(),
            path => format!("{path}.{name}"),
        };
        self.nodes.push(Node {
            parent: Some(parent),
            path,
            kind: None,
            is_list: false,
            has_children: false,
        });
        self.stack.push(Level::Module(self.nodes.len() - 1));
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.stack.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let tensor = param.val();
        let (shape, dtype) = (tensor.dims(), tensor.dtype());
        let trainable = !B::DIFFERENTIABLE || tensor.is_require_grad();
        let id = B::float_id(tensor.into_primitive().tensor());
        self.add(param.id, id, &shape, dtype, trainable);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<B, D, Int>>) {
        let tensor = param.val();
        let (shape, dtype) = (tensor.dims(), tensor.dtype());
        self.add(param.id, tensor.into_primitive().into_ir().id, &shape, dtype, false);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<B, D, Bool>>) {
        let tensor = param.val();
        let (shape, dtype) = (tensor.dims(), tensor.dtype());
        self.add(param.id, tensor.into_primitive().into_ir().id, &shape, dtype, false);
    }
}
