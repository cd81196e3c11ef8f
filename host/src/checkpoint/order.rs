//! Which arrays are the layers of a fully connected network, and in which order they follow one another.
//!
//! A file of tensors keeps names and shapes, and rarely an order. Names end in what the array is: `fc1.weight`, `net.0.bias`
//! (PyTorch, weights `(out, in)`), `params/Dense_0/kernel` (Flax, `(in, out)`), `W0`, `b0` (ours). What is in front is the
//! layer. Layers whose names differ in numbers alone follow those numbers (10 after 2); then every layer takes as many
//! numbers as the one before it gives. Where that leaves several orders, that of the file counts if it says something.

use super::Fault;
use crate::words::{excerpt, listed};

/// A layer among the arrays, by their indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// name of the layer: what its arrays' names have in common
    pub name: String,
    /// numbers that enter
    pub inputs: usize,
    /// numbers that leave
    pub outputs: usize,
    /// index of the weights
    pub weights: usize,
    /// whether they are stored as `(in, out)`
    pub transposed: bool,
    /// index of the bias
    pub bias: Option<usize>,
}

/// What the order in which arrays come says of that of their layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// a module has named them in the order in which its layers were made
    ByModule,
    /// somebody has written them so, which says something unless it is sorted: trees of arrays are as soon as they are mapped
    ByWriter,
    /// nothing
    No,
}

impl Kept {
    /// Whether an order of these arrays, of these layers, is to count.
    fn counts(self, arrays: &[String], layers: &[Placed]) -> bool {
        let sorted = |names: &[&str]| {
            let by_part = |name: &&str| name.split(['.', '/']).map(String::from).collect::<Vec<_>>();
            let by_number = |name: &&str| {
                let (numbers, rest) = numbers(name);
                (rest, numbers)
            };
            names.is_sorted() || names.is_sorted_by_key(by_part) || names.is_sorted_by_key(by_number)
        };
        let of_arrays: Vec<&str> = arrays.iter().map(String::as_str).collect();
        let of_layers: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
        match self {
            Self::ByModule => true,
            Self::ByWriter => !sorted(&of_arrays) && !sorted(&of_layers),
            Self::No => false,
        }
    }
}

/// What an array is, by its name.
enum Part {
    Weights { transposed: bool },
    Bias,
}

/// Layer and part of a name; `None` where it is neither's.
fn part(name: &str) -> Option<(String, Part)> {
    let own =
        |symbol: char| name.strip_prefix(symbol).filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    if let Some(number) = own('W') {
        return Some((number.into(), Part::Weights { transposed: false }));
    }
    if let Some(number) = own('b') {
        return Some((number.into(), Part::Bias));
    }
    let (layer, last) = name.rsplit_once(['.', '/']).unwrap_or(("", name));
    let part = match last {
        "weight" => Part::Weights { transposed: false },
        "kernel" => Part::Weights { transposed: true },
        "bias" => Part::Bias,
        _ => return None,
    };
    Some((layer.into(), part))
}

/// The numbers of a name, and what is left of it without them.
fn numbers(name: &str) -> (Vec<u64>, String) {
    let (mut numbers, mut rest, mut digits) = (Vec::new(), String::new(), String::new());
    for c in name.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            if !digits.is_empty() {
                // longer than any count of layers
                numbers.push(digits.parse().unwrap_or(u64::MAX));
                rest.push('#');
                digits.clear();
            }
            rest.push(c);
        }
    }
    (numbers, rest)
}

/// The layers of these arrays, in order: `names` and `shapes` as they are stored. `kept` says what it means that the arrays come
/// in this order; `inputs` is the numbers of a sample, where they are known; `order` the names of all layers, where
/// somebody says how they follow.
///
/// # Errors
/// An array that belongs to no fully connected layer; layers that do not follow one another, or in more than one way.
pub fn layers(
    names: &[String],
    shapes: &[Vec<usize>],
    kept: Kept,
    inputs: Option<usize>,
    order: Option<&[String]>,
) -> Result<Vec<Placed>, Fault> {
    let mut layers = collect(names, shapes)?;
    if layers.is_empty() {
        return Err(Fault::NoLayers);
    }
    if let Some(order) = order {
        return by_hand(layers, order);
    }
    let kept = kept.counts(names, &layers);
    if !kept {
        // an order that means nothing is to change nothing
        layers.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let chains = Chains { layers: &layers, inputs };
    let chain = match chains.find(false) {
        Found::None => return Err(Fault::NoChain { layers: described(&layers), inputs }),
        Found::One(chain) => chain,
        Found::Several => {
            let own: Vec<usize> = (0..layers.len()).collect();
            match chains.find(true) {
                _ if kept && chains.allow(&own) => own,
                // names that were sorted as text say nothing: Dense_10 before Dense_2
                Found::One(chain) if !kept || layers.is_sorted_by(|a, b| a.name <= b.name) => chain,
                Found::One(chain) => {
                    let in_order = |chain: &[usize]| chain.iter().map(|i| layers[*i].name.clone()).collect();
                    return Err(Fault::Disagree { stored: in_order(&own), numbered: in_order(&chain) });
                }
                _ => return Err(Fault::Ambiguous { layers: described(&layers) }),
            }
        }
    };
    Ok(chain.into_iter().map(|i| layers[i].clone()).collect())
}

/// The layers in the order of their first arrays.
fn collect(names: &[String], shapes: &[Vec<usize>]) -> Result<Vec<Placed>, Fault> {
    let mut layers: Vec<Placed> = Vec::new();
    let mut biases: Vec<(String, usize)> = Vec::new();
    for (at, (name, shape)) in names.iter().zip(shapes).enumerate() {
        let wrong = |what: &str| Fault::Array { array: name.clone(), shape: shape.clone(), what: what.into() };
        match (part(name), &shape[..]) {
            (Some((layer, Part::Weights { transposed })), [rows, columns]) => {
                let (outputs, inputs) = if transposed { (*columns, *rows) } else { (*rows, *columns) };
                if outputs == 0 || inputs == 0 {
                    return Err(wrong("is empty"));
                }
                if layers.iter().any(|placed| placed.name == layer) {
                    return Err(wrong("stands for weights that the layer has already"));
                }
                layers.push(Placed { name: layer, inputs, outputs, weights: at, transposed, bias: None });
            }
            (Some((_, Part::Weights { .. })), [_]) => {
                return Err(wrong(
                    "is of a normalization or an activation with parameters; only fully connected layers are measured",
                ));
            }
            (Some((_, Part::Weights { .. })), _) => {
                return Err(wrong("is of a convolution or another layer; only fully connected layers are measured"));
            }
            (Some((layer, Part::Bias)), [_]) => biases.push((layer, at)),
            (Some((_, Part::Bias)), _) => return Err(wrong("is no bias of a fully connected layer")),
            (None, _) => {
                return Err(wrong(
                    "has no place in a fully connected network, whose arrays are NAME.weight and NAME.bias",
                ));
            }
        }
    }
    for (layer, at) in biases {
        let wrong = |what: String| Fault::Array { array: names[at].clone(), shape: shapes[at].clone(), what };
        let placed = layers.iter_mut().find(|placed| placed.name == layer);
        let Some(placed) = placed else { return Err(wrong("has no weights beside it".into())) };
        if shapes[at][0] != placed.outputs {
            return Err(wrong(format!("does not fit its weights, which give {} numbers", placed.outputs)));
        }
        placed.bias = Some(at);
    }
    Ok(layers)
}

/// As `order` has them.
fn by_hand(mut layers: Vec<Placed>, order: &[String]) -> Result<Vec<Placed>, Fault> {
    let mut chain = Vec::new();
    for name in order {
        let Some(at) = layers.iter().position(|layer| layer.name == *name) else {
            return Err(Fault::Order {
                name: name.clone(),
                layers: layers.into_iter().map(|layer| layer.name).collect(),
            });
        };
        chain.push(layers.remove(at));
    }
    if let Some(left) = layers.first() {
        return Err(Fault::Order {
            name: left.name.clone(),
            layers: chain.into_iter().map(|layer| layer.name).collect(),
        });
    }
    if chain.windows(2).any(|pair| pair[0].outputs != pair[1].inputs) {
        return Err(Fault::NoChain { layers: described(&chain), inputs: None });
    }
    Ok(chain)
}

/// `fc1 (784 to 256)`
fn described(layers: &[Placed]) -> String {
    let texts: Vec<String> = layers
        .iter()
        .map(|layer| format!("{} ({} to {})", excerpt(&layer.name), layer.inputs, layer.outputs))
        .collect();
    listed(&texts)
}

/// Searches for the orders in which layers can follow one another.
struct Chains<'a> {
    layers: &'a [Placed],
    inputs: Option<usize>,
}

/// Steps of the search; beyond them the order counts as ambiguous.
const MOST_STEPS: usize = 100_000;

/// Orders in which layers can follow one another.
enum Found {
    None,
    One(Vec<usize>),
    Several,
}

impl Chains<'_> {
    /// All of them; with `by_numbers` only those in which layers whose names differ in numbers alone follow these.
    fn find(&self, by_numbers: bool) -> Found {
        let mut search = Search { chains: self, before: self.pairs(by_numbers), found: Vec::new(), steps: 0 };
        search.extend(&mut Vec::new());
        match search.found.len() {
            _ if search.steps > MOST_STEPS => Found::Several,
            0 => Found::None,
            1 => Found::One(search.found.remove(0)),
            _ => Found::Several,
        }
    }

    /// Whether this order is one of them, by shapes and numbers.
    fn allow(&self, chain: &[usize]) -> bool {
        let first = chain.first().is_none_or(|first| self.inputs.is_none_or(|d| d == self.layers[*first].inputs));
        let shapes = chain.windows(2).all(|pair| self.layers[pair[0]].outputs == self.layers[pair[1]].inputs);
        let place = |layer: usize| chain.iter().position(|at| *at == layer);
        first && shapes && self.pairs(true).into_iter().all(|(before, behind)| place(before) < place(behind))
    }

    /// Pairs of layers of which the first comes before the second, by the numbers in their names.
    fn pairs(&self, by_numbers: bool) -> Vec<(usize, usize)> {
        let names: Vec<(Vec<u64>, String)> = self.layers.iter().map(|layer| numbers(&layer.name)).collect();
        let all = (0..names.len()).flat_map(|a| (0..names.len()).map(move |b| (a, b)));
        all.filter(|(a, b)| by_numbers && names[*a].1 == names[*b].1 && names[*a].0 < names[*b].0).collect()
    }
}

/// A search in depth.
struct Search<'a> {
    chains: &'a Chains<'a>,
    before: Vec<(usize, usize)>,
    /// no more than two
    found: Vec<Vec<usize>>,
    steps: usize,
}

impl Search<'_> {
    fn extend(&mut self, chain: &mut Vec<usize>) {
        let layers = self.chains.layers;
        if chain.len() == layers.len() {
            self.found.push(chain.clone());
            return;
        }
        let needed = chain.last().map_or(self.chains.inputs, |last| Some(layers[*last].outputs));
        for next in (0..layers.len()).filter(|next| !chain.contains(next)).collect::<Vec<_>>() {
            self.steps += 1;
            if self.found.len() > 1 || self.steps > MOST_STEPS {
                return;
            }
            let fits = needed.is_none_or(|inputs| inputs == layers[next].inputs);
            if fits && self.before.iter().all(|(a, b)| *b != next || chain.contains(a)) {
                chain.push(next);
                self.extend(chain);
                chain.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layers' names in order, of arrays `name: shape`.
    fn order(arrays: &[(&str, &[usize])], kept: Kept, inputs: Option<usize>) -> Result<Vec<String>, Fault> {
        let names: Vec<String> = arrays.iter().map(|(name, _)| (*name).into()).collect();
        let shapes: Vec<Vec<usize>> = arrays.iter().map(|(_, shape)| shape.to_vec()).collect();
        layers(&names, &shapes, kept, inputs, None).map(|layers| layers.into_iter().map(|layer| layer.name).collect())
    }

    #[test]
    fn numbers_stand_before_letters() {
        let square: &[usize] = &[4, 4];
        let arrays = [("net.10.weight", square), ("net.2.weight", square), ("net.0.weight", &[4, 3])];
        assert_eq!(order(&arrays, Kept::No, None).unwrap(), ["net.0", "net.2", "net.10"]);
        let all: Vec<(String, Vec<usize>)> = (0..12).rev().map(|l| (format!("fc{l}.weight"), vec![4, 4])).collect();
        let arrays: Vec<(&str, &[usize])> = all.iter().map(|(name, shape)| (name.as_str(), &shape[..])).collect();
        let expected: Vec<String> = (0..12).map(|l| format!("fc{l}")).collect();
        assert_eq!(order(&arrays, Kept::No, None).unwrap(), expected);
    }

    #[test]
    fn shapes_decide_where_they_can() {
        // an autoencoder closes to a ring, which the number of inputs opens
        let ring: [(&str, &[usize]); 4] = [
            ("dec.0.weight", &[5, 2]),
            ("dec.2.weight", &[9, 5]),
            ("enc.0.weight", &[5, 9]),
            ("enc.2.weight", &[2, 5]),
        ];
        assert_eq!(order(&ring, Kept::No, Some(9)).unwrap(), ["enc.0", "enc.2", "dec.0", "dec.2"]);
        assert!(matches!(order(&ring, Kept::No, None), Err(Fault::Ambiguous { .. })));
        let named: [(&str, &[usize]); 3] =
            [("head.weight", &[1, 6]), ("stem.weight", &[7, 3]), ("body.weight", &[6, 7])];
        assert_eq!(order(&named, Kept::No, None).unwrap(), ["stem", "body", "head"]);
    }

    #[test]
    fn an_order_that_a_file_keeps_decides_between_names_without_numbers() {
        let arrays: [(&str, &[usize]); 3] =
            [("stem.weight", &[4, 4]), ("body.weight", &[4, 4]), ("head.weight", &[1, 4])];
        for kept in [Kept::ByModule, Kept::ByWriter] {
            assert_eq!(order(&arrays, kept, None).unwrap(), ["stem", "body", "head"]);
            let disagree: [(&str, &[usize]); 2] = [("fc2.weight", &[4, 4]), ("fc1.weight", &[4, 4])];
            assert!(matches!(order(&disagree, kept, None), Err(Fault::Disagree { .. })));
            let sorted: [(&str, &[usize]); 3] =
                [("Dense_0.kernel", &[4, 4]), ("Dense_10.kernel", &[4, 4]), ("Dense_2.kernel", &[4, 4])];
            assert_eq!(order(&sorted, kept, None).unwrap(), ["Dense_0", "Dense_2", "Dense_10"]);
        }
        assert!(matches!(order(&arrays, Kept::No, None), Err(Fault::Ambiguous { .. })));
    }

    /// A tree of arrays is sorted by name as soon as anything is mapped over it: then its order says nothing of the layers.
    #[test]
    fn an_order_that_is_sorted_decides_nothing() {
        let square = [4usize, 4];
        for names in [
            &["decoder/kernel", "encoder/kernel"][..],
            &["first/kernel", "fourth/kernel", "second/kernel", "third/kernel"],
            &["Block_0/Dense_0/kernel", "Block_1/Dense_0/kernel", "Dense_0/kernel", "Dense_1/kernel"],
            &["decoder/Dense_0/kernel", "decoder/Dense_1/kernel", "encoder/Dense_0/kernel", "encoder/Dense_1/kernel"],
            // by arrays, though not by layers, and the other way about
            &["net.inner.weight", "net.weight"],
            &["a.weight", "a.bias", "b.weight", "b.bias"],
        ] {
            let shape = |name: &str| if name.ends_with("bias") { vec![4] } else { square.to_vec() };
            let shapes: Vec<Vec<usize>> = names.iter().map(|name| shape(name)).collect();
            let arrays: Vec<(&str, &[usize])> = names.iter().copied().zip(shapes.iter().map(Vec::as_slice)).collect();
            assert!(matches!(order(&arrays, Kept::ByWriter, Some(4)), Err(Fault::Ambiguous { .. })), "{names:?}");
            let own: Vec<&str> = names.iter().filter_map(|name| Some(name.rsplit_once(['.', '/'])?.0)).collect();
            let mut own: Vec<&str> = own;
            own.dedup();
            assert_eq!(order(&arrays, Kept::ByModule, Some(4)).unwrap(), own);
        }
    }

    #[test]
    fn biases_belong_to_layers_and_strangers_are_refused() {
        let arrays: [(&str, &[usize]); 4] = [
            ("params/Dense_0/bias", &[7]),
            ("params/Dense_0/kernel", &[3, 7]),
            ("params/Dense_1/kernel", &[7, 2]),
            ("params/Dense_1/bias", &[2]),
        ];
        let names: Vec<String> = arrays.iter().map(|(name, _)| (*name).into()).collect();
        let shapes: Vec<Vec<usize>> = arrays.iter().map(|(_, shape)| shape.to_vec()).collect();
        let placed = layers(&names, &shapes, Kept::No, Some(3), None).unwrap();
        assert!(placed.iter().all(|layer| layer.transposed));
        assert_eq!((placed[0].inputs, placed[0].outputs, placed[0].weights, placed[0].bias), (3, 7, 1, Some(0)));
        for strange in [
            ("conv.weight", &[8, 3, 3, 3][..]),
            ("norm.weight", &[7]),
            ("norm.running_mean", &[7]),
            ("b.bias", &[7]),
            ("a.bias", &[6]),
            ("a.bias", &[7, 1]),
            ("step", &[]),
            ("a.kernel", &[7, 3]),
        ] {
            assert!(
                matches!(order(&[("a.weight", &[7, 3]), strange], Kept::No, None), Err(Fault::Array { .. })),
                "{strange:?}"
            );
        }
        assert!(matches!(
            order(&[("a.weight", &[7, 3]), ("b.weight", &[5, 6])], Kept::No, None),
            Err(Fault::NoChain { .. })
        ));
        assert!(matches!(order(&[("a.weight", &[7, 3])], Kept::No, Some(4)), Err(Fault::NoChain { .. })));
        assert!(matches!(order(&[], Kept::No, None), Err(Fault::NoLayers)));
    }
}
