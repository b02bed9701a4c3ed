//! What pooling layers do not take.

/// An input that a layer does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The kernel is larger than its input.
    #[error(
        "a {}x{} {what} does not fit an input of {}x{}: expected an input at least as large; use a smaller {what} or a \
         larger image", kernel_size[0], kernel_size[1], input[0], input[1]
    )]
    TooLarge {
        /// What slides: a convolution kernel or a pooling kernel.
        what: &'static str,
        /// Height and width of the kernel, with its dilation.
        kernel_size: [usize; 2],
        /// Height and width of the input, with its padding.
        input: [usize; 2],
    },
    /// A size or a stride is 0.
    #[error("expected a {what} of at least 1x1, found {}x{}", size[0], size[1])]
    Zero {
        /// What is empty: a kernel, a stride or a feature map.
        what: &'static str,
        /// Height and width as given.
        size: [usize; 2],
    },
    /// A size is too large to count with.
    #[error(
        "expected a padded input of at most {} rows and columns, found an input of {}x{} with a padding of {}x{}; use a \
         smaller padding", usize::MAX, input[0], input[1], padding[0], padding[1]
    )]
    Overflow {
        /// Height and width of the input, without its padding.
        input: [usize; 2],
        /// Rows above and below, columns left and right.
        padding: [usize; 2],
    },
    /// There are more windows than can be counted.
    #[error(
        "expected at most 16777216 rows and columns of windows, found more over an input of {}x{}; use a larger stride or \
         fewer windows", input[0], input[1]
    )]
    TooMany {
        /// Height and width of the input.
        input: [usize; 2],
    },
    /// A window lies between the values of the map, or in its padding.
    #[error("expected windows that read at least one value each, found one that reads none; use a smaller dilation")]
    Nothing,
    /// A bound of values that is not above 0.
    #[error("expected an epsilon above 0, found {found}")]
    Epsilon {
        /// The bound as given.
        found: String,
    },
    /// A layer of sequences has windows of more than one row.
    #[error(
        "expected windows over sequences, of height 1, found pooled maps of height {found}; give the layer windows of one row"
    )]
    Height {
        /// Rows of the pooled maps.
        found: usize,
    },
    /// More than half of a pooling kernel would lie in the padding.
    #[error(
        "expected a padding of at most half of the pooling kernel, found {}x{} with a kernel of {}x{}; use a smaller \
         padding", padding[0], padding[1], kernel_size[0], kernel_size[1]
    )]
    Padding {
        /// Rows above and below, columns left and right.
        padding: [usize; 2],
        /// Height and width of the kernel.
        kernel_size: [usize; 2],
    },
    /// A blur filter is empty, or larger than any of the paper.
    #[error(
        "expected a blur filter of 1x1 to {largest}x{largest}, found {}x{}; use a filter of one of these sizes",
        filter_size[0], filter_size[1]
    )]
    Filter {
        /// Height and width of the filter.
        filter_size: [usize; 2],
        /// The largest size.
        largest: usize,
    },
    /// A reflection would need more of the feature map than there is.
    #[error(
        "expected a feature map larger than its reflected padding of {}x{}, found {}x{}; use a smaller blur filter or \
         another padding", padding[0], padding[1], input[0], input[1]
    )]
    Reflection {
        /// Rows below, columns right, of which there are the most.
        padding: [usize; 2],
        /// Height and width of the map.
        input: [usize; 2],
    },
    /// A power of a norm that is below 1.
    #[error("expected a power of at least 1, found {found}")]
    Power {
        /// The power as given.
        found: String,
    },
    /// More of the largest values than a window has, or none.
    #[error(
        "expected 1 to {values} of the largest values, as many as the smallest window holds, found {count}; use fewer or \
         larger windows"
    )]
    TopK {
        /// How many of the largest values are to count.
        count: usize,
        /// Values of the smallest window.
        values: usize,
    },
    /// The heads of an attention do not divide its embedding.
    #[error(
        "expected heads that share an embedding of {embedding} evenly, found {heads}; use a number of heads that divides \
         {embedding}, or another size of the embedding"
    )]
    Heads {
        /// Number of heads.
        heads: usize,
        /// Size of queries, keys and values.
        embedding: usize,
    },
    /// The positions of an attention are not those of its map.
    #[error(
        "expected the positions of a {}x{} map and one before them, found {found}; give the layer the size that its \
         positions belong to", size[0], size[1]
    )]
    Positions {
        /// Height and width of the map.
        size: [usize; 2],
        /// Number of positions.
        found: usize,
    },
    /// A pyramid has no levels.
    #[error("expected at least one level of the pyramid, found none; give it some, such as 1, 2 and 4")]
    Levels,
    /// There is not one index for each value.
    #[error(
        "expected an index for each value, {values:?}, found indices of {indices:?}; give both as they were pooled"
    )]
    Indices {
        /// Shape of the values.
        values: Vec<usize>,
        /// Shape of the indices.
        indices: Vec<usize>,
    },
    /// An index lies outside of the map.
    #[error(
        "expected indices from 0 on, below {}x{}, the size of the map, found {index}; give the size of the map that was \
         pooled", size[0], size[1]
    )]
    Index {
        /// The index.
        index: i64,
        /// Height and width of the map.
        size: [usize; 2],
    },
    /// A map of this size is not pooled to as many values.
    #[error(
        "expected {}x{} values, as the windows of a {}x{} map give them, found {}x{}; give the size of the map that was \
         pooled", expected[0], expected[1], size[0], size[1], found[0], found[1]
    )]
    Pooled {
        /// Height and width of the map.
        size: [usize; 2],
        /// Rows and columns of its windows.
        expected: [usize; 2],
        /// Rows and columns of the values.
        found: [usize; 2],
    },
    /// The size of the map that was pooled cannot be told from the windows.
    #[error("expected the size of the map that was pooled, found none; give it, or use sliding windows")]
    NoSize,
    /// The input has not as many channels as the convolution's filters.
    #[error(
        "expected an input of {expected} channel{}, found {found}; give it images of as many channels or create the \
         layer for {found}", if *expected == 1 { "" } else { "s" }
    )]
    Channels {
        /// Channels of the filters.
        expected: usize,
        /// Channels of the input.
        found: usize,
    },
}

/// Returns what a layer gave, or panics with the message of the error.
#[track_caller]
pub(super) fn expect<T>(result: Result<T, WindowError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
