//! The module as it is built: the tree of its modules and the parameters they hold.

use std::collections::HashMap;

use burn::module::{Module, ModuleDisplay, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bool, Int, Tensor};
use burn_ir::TensorIr;

use super::{fields::Field, fields::fields, row::ParameterCount, trace::TraceBackend};

/// Burn's recurrent layers: one call runs their inner layers once for every time step.
const RECURRENT: [&str; 6] = ["Rnn", "BiRnn", "Lstm", "BiLstm", "Gru", "BiGru"];

/// Burn's containers whose forward pass ends with their last layer.
const ENDS_WITH_LAYER: [&str; 3] = ["MultiHeadAttention", "CrossAttention", "PositionWiseFeedForward"];

/// The number of a module in [`ModuleTree::nodes`].
pub(super) type NodeId = usize;

pub(super) const ROOT: NodeId = 0;

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub parent: Option<NodeId>,
    /// Path from the root, such as `encoder.layers.0.norm_1`; empty for the root.
    pub path: String,
    /// Its Burn type, such as `Linear`; unknown for a module without parameters.
    pub kind: Option<String>,
    /// Whether it is a plain container in another module: a list, an array, a tuple.
    pub is_list: bool,
    /// The modules that are its fields.
    pub children: Vec<NodeId>,
    /// Whether it or a module in it holds a tensor.
    pub holds_tensors: bool,
}

/// A tensor that the module holds.
#[derive(Clone, Debug)]
pub(super) struct ModuleTensor {
    pub node: NodeId,
    /// Path from the root, such as `conv1.weight`.
    pub path: String,
    pub parameter: ParamId,
    pub tensor: TensorIr,
    /// Whether it is trained. Without automatic differentiation only statistics are known not to be.
    pub trainable: bool,
}

impl ModuleTensor {
    /// Returns the number of its elements, as parameters.
    pub fn count(&self) -> ParameterCount {
        ParameterCount::new(self.tensor.shape.num_elements(), self.trainable)
    }
}

/// The modules, the tensors that they hold, and their fields without parameters, in the order of their declaration.
#[derive(Clone, Debug)]
pub(super) struct ModuleTree {
    pub nodes: Vec<Node>,
    pub tensors: Vec<ModuleTensor>,
    pub fields: Vec<Field>,
    /// While a module is visited, the modules that were entered and not left, the root first. A variant of
    /// an enum is no step of the path: it stands for the enum again.
    open: Vec<NodeId>,
}

impl ModuleTree {
    pub fn of<B: TraceBackend, M: Module<B> + ModuleDisplay>(module: &M) -> Self {
        let (kind, fields) = fields(module);
        let nodes = vec![Node { kind, ..Node::default() }];
        let mut tree = Self { nodes, tensors: Vec::new(), fields, open: vec![ROOT] };
        module.visit(&mut tree);
        // Parameters are entered and left like modules: their nodes hold a tensor and nothing else.
        for tensor in &mut tree.tensors {
            let node = &tree.nodes[tensor.node];
            tensor.node = node.parent.filter(|_| node.kind.is_none()).unwrap_or(tensor.node);
        }
        for node in 1..tree.nodes.len() {
            if let Node { parent: Some(parent), kind: Some(_), .. } = tree.nodes[node] {
                tree.nodes[parent].children.push(node);
            }
        }
        // A module without parameters may be one function, and so its own field.
        let itself = tree.nodes[ROOT].kind.iter().filter(|_| tree.tensors.is_empty()).cloned();
        tree.fields.extend(itself.map(|kind| Field { path: String::new(), kinds: vec![kind], value: String::new() }));
        for tensor in 0..tree.tensors.len() {
            let node = tree.tensors[tensor].node;
            let holders: Vec<_> = tree.ancestors(node).take_while(|&node| !tree.nodes[node].holds_tensors).collect();
            holders.into_iter().for_each(|node| tree.nodes[node].holds_tensors = true);
        }
        tree
    }

    /// Takes over which parameters are trained from the same module with automatic differentiation.
    pub fn take_trainable(&mut self, trained: &Self) {
        let known: HashMap<ParamId, bool> = trained.tensors.iter().map(|it| (it.parameter, it.trainable)).collect();
        for tensor in &mut self.tensors {
            tensor.trainable = known.get(&tensor.parameter).copied().unwrap_or(tensor.trainable);
        }
    }

    /// Returns the node and its ancestors, the node first.
    pub fn ancestors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(node), |&node| self.nodes[node].parent)
    }

    /// Returns the modules that hold tensors, by their paths.
    pub fn holders(&self) -> HashMap<&str, NodeId> {
        let nodes = self.nodes.iter().enumerate().filter(|(_, node)| node.holds_tensors);
        nodes.map(|(id, node)| (node.path.as_str(), id)).collect()
    }

    /// Returns, for each module, the numbers of the fields that lie in it.
    pub fn fields_of_modules(&self) -> Vec<Vec<usize>> {
        let (holders, mut fields) = (self.holders(), vec![Vec::new(); self.nodes.len()]);
        for (number, field) in self.fields.iter().enumerate() {
            let mut paths =
                std::iter::successors(Some(field.path.as_str()), |path| path.rsplit_once('.').map(|it| it.0));
            let node = paths.find_map(|path| holders.get(path)).copied().unwrap_or(ROOT);
            fields[node].push(number);
        }
        fields
    }

    /// Returns the deepest module that holds both.
    pub fn common(&self, a: NodeId, b: NodeId) -> NodeId {
        self.ancestors(a).find(|&ancestor| self.contains(ancestor, b)).unwrap_or(ROOT)
    }

    /// Returns whether `inner` is `outer` or lies inside.
    pub fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        self.ancestors(inner).any(|ancestor| ancestor == outer)
    }

    /// Returns the module's Burn type.
    pub fn kind(&self, node: NodeId) -> &str {
        self.nodes[node].kind.as_deref().unwrap_or("Module")
    }

    /// Returns whether it is one of Burn's recurrent layers: named so, and made of nothing but gates.
    pub fn is_recurrent(&self, node: NodeId) -> bool {
        let mut inner = self.nodes[node].children.iter().filter(|&&child| self.nodes[child].holds_tensors);
        RECURRENT.contains(&self.kind(node))
            && inner.all(|&child| self.kind(child) == "GateController" || self.is_recurrent(child))
    }

    /// Returns whether nothing of the container runs after its last layer.
    pub fn ends_with_layer(&self, node: NodeId) -> bool {
        ENDS_WITH_LAYER.contains(&self.kind(node))
    }

    /// Returns the layer that a tensor belongs to: its module, or the recurrent layer around it.
    pub fn layer_of(&self, tensor: usize) -> NodeId {
        let node = self.tensors[tensor].node;
        self.ancestors(node).filter(|&node| self.is_recurrent(node)).last().unwrap_or(node)
    }

    /// Returns whether the owner of a call is no layer but a module with modules inside, of which the call uses a
    /// tensor.
    pub fn holds_tensor_itself(&self, owner: NodeId) -> bool {
        !self.nodes[owner].children.is_empty() && !self.is_recurrent(owner)
    }

    /// Returns the container that a layer lies in.
    pub fn container_of(&self, owner: NodeId) -> NodeId {
        self.nodes[owner].parent.filter(|_| !self.holds_tensor_itself(owner)).unwrap_or(owner)
    }

    /// Returns whether the tensor that is visited is a running statistic of batch normalisation.
    fn is_statistic(&self) -> bool {
        let node = &self.nodes[self.current()];
        let name = node.path.rsplit('.').next().unwrap_or_default();
        node.parent.is_some_and(|parent| self.kind(parent) == "BatchNorm") && name.starts_with("running_")
    }

    fn current(&self) -> NodeId {
        self.open.last().copied().unwrap_or(ROOT)
    }

    fn add(&mut self, parameter: ParamId, tensor: TensorIr, trainable: bool) {
        let node = self.current();
        let path = self.nodes[node].path.clone();
        self.tensors.push(ModuleTensor { node, path, parameter, tensor, trainable });
    }
}

impl<B: TraceBackend> ModuleVisitor<B> for ModuleTree {
    fn enter_module(&mut self, name: &str, container: &str) {
        let parent = self.current();
        let (sort, kind) = container.split_once(':').unwrap_or((container, container));
        let node = &mut self.nodes[parent];
        node.is_list = parent != ROOT && matches!(sort, "Vec" | "Array" | "Tuple");
        // Of an enum and the module in its variant, the module says more.
        node.kind = Some(kind.to_string());
        if sort == "Enum" {
            self.open.push(parent);
            return;
        }
        let path = match node.path.as_str() {
            "" => name.to_string(),
            path => format!("{path}.{name}"),
        };
        self.open.push(self.nodes.len());
        self.nodes.push(Node { parent: Some(parent), path, ..Node::default() });
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.open.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let tensor = param.val();
        let trainable = if B::DIFFERENTIABLE { tensor.is_require_grad() } else { !self.is_statistic() };
        self.add(param.id, B::float_ir(tensor.into_primitive().tensor()), trainable);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<B, D, Int>>) {
        self.add(param.id, param.val().into_primitive().into_ir(), false);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<B, D, Bool>>) {
        self.add(param.id, param.val().into_primitive().into_ir(), false);
    }
}
