//! The table of probabilities: as a file, and on the page.

use super::line::{Parametrization, TIMES};
use super::plan::{CENTRE, Cell, Found};
use super::verdicts::Verdicts;
use crate::analysis::binomial::Share;
use crate::files::{CsvTable, Described};
use crate::report::Table;

/// Name of the file in the study's directory.
pub const FILE: &str = "probability.csv";

/// A time for people: 0, 10, 10^{4}.
pub fn time_title(time: usize) -> String {
    match time.checked_sub(1).map(|k| TIMES[k].log10().round()) {
        None => "0".into(),
        Some(1.0) => "10".into(),
        Some(exponent) => format!("10^{{{exponent}}}"),
    }
}

/// `probability.csv`: of every cell each column of the study, at every time.
pub const COLUMNS: [Described; 12] = Described::of(
    FILE,
    [
        ("parametrization", "", "ntk, ntk-he, standard or fan-in: how the network is written, see the page"),
        ("points", "", "number of training points L"),
        ("scale", "", "standard deviation of the initial weights, relative to that of the parametrization"),
        ("width", "", "width of the hidden layer"),
        (
            "time",
            "time of gradient flow on the mean loss",
            "t, in the time of the parametrization; empty for gp, which has no time",
        ),
        (
            "column",
            "",
            "network: trained networks; linearized: the same networks under their own K_0; ntk: draws of the Gaussian process under \
             the mean of K_0; gp: the Gaussian process given the labels",
        ),
        ("positive", "", "how many of them have a positive logit at the probe"),
        ("draws", "", "how many networks or draws"),
        ("probability", "share", "positive over draws"),
        ("low", "share", "lower end of the 95 % interval of Clopper and Pearson"),
        ("high", "share", "upper end of the interval"),
        ("closed_form", "share", "the probability from orthant probabilities; gp with up to four points only"),
    ],
);

/// The file of these columns.
pub fn csv(found: &Found) -> CsvTable {
    let mut table = CsvTable::new(COLUMNS.iter().map(|column| column.name));
    for cell in &found.cells {
        let networks = cell.networks;
        let mut row = |time: Option<f64>, column: &str, share: Share, closed: Option<f64>| {
            let [low, high] = share.interval();
            table.push([
                networks.line.parametrization.name().into(),
                networks.line.points.into(),
                networks.line.scale.into(),
                networks.width.into(),
                time.into(),
                column.into(),
                share.successes.into(),
                share.trials.into(),
                share.value().into(),
                low.into(),
                high.into(),
                closed.into(),
            ]);
        };
        for (index, time) in std::iter::once(0.0).chain(TIMES).enumerate() {
            row(Some(time), "network", cell.found.network.share(index), None);
            row(Some(time), "linearized", cell.found.linearized.share(index), None);
            row(Some(time), "ntk", cell.fixed.share(index), None);
        }
        row(None, "gp", cell.posterior.probe, cell.posterior.exact.map(|exact| exact.probe));
    }
    table
}

/// A probability with its interval: `0.951 (0.940–0.960)`.
pub fn with_interval(share: Share) -> String {
    let [low, high] = share.interval();
    format!("{:.3} ({low:.3}–{high:.3})", share.value())
}

/// Times of the page: all but those between which little happens.
const SHOWN: [usize; 5] = [1, 2, 4, 5, 7];

fn row(name: String, verdicts: &Verdicts) -> Vec<String> {
    std::iter::once(name).chain(SHOWN.map(|time| with_interval(verdicts.share(time)))).collect()
}

fn header(first: &str) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(SHOWN.map(|time| format!("t = {}", time_title(time)))).collect()
}

const INTERVALS: &str = "Share of positive logits at the probe, with the 95 % interval of Clopper and Pearson.";

/// The tables of the page: the centre's widths beside the limits, then what is varied about the centre.
pub fn tables(found: &Found) -> Vec<Table> {
    let (line, mut tables) = (found.of(CENTRE), Vec::new());
    if let Some(widest) = line.last() {
        let mut table = Table::new(format!("{INTERVALS} {}.", CENTRE.title()), header("column"));
        for cell in &line {
            table.push(row(format!("network, m = {}", cell.networks.width), &cell.found.network));
        }
        for cell in &line {
            table.push(row(format!("its linearization, m = {}", cell.networks.width), &cell.found.linearized));
        }
        table.push(row("fixed NTK, m = ∞".into(), &widest.fixed));
        let posterior = vec![with_interval(widest.posterior.probe); SHOWN.len()];
        table.push(std::iter::once("Gaussian process, given the labels".to_owned()).chain(posterior));
        tables.push(table);
    }
    let middle = found.middle();
    let title = format!(
        "{INTERVALS} Networks of width {middle} at other numbers of points and scales; beside them the fixed NTK."
    );
    let varied =
        |cell: &&Cell| cell.networks.line != CENTRE && cell.networks.line.parametrization == Parametrization::Ntk;
    tables.push(pairs(title, found.cells.iter().filter(varied)));
    let written = |cell: &&Cell| cell.networks.line.parametrization != Parametrization::Ntk;
    let title = format!(
        "{INTERVALS} Other parametrizations; beside them the flow under the mean of their kernels at initialization."
    );
    tables.push(pairs(title, found.cells.iter().filter(written)));
    let mut table = Table::new(
        "The Gaussian process of the outputs at random initialization: probability that all labels are right, and of a positive logit at \
         the probe given that they are; sampled with 95 % intervals, and in closed form.",
        ["points", "labels right", "closed form", "probe positive", "closed form"],
    );
    for (posterior, p) in &found.posteriors {
        let exact = |value: Option<f64>| value.map_or("—".into(), |value| format!("{value:.5}"));
        table.push([
            posterior.points.to_string(),
            with_interval(p.labels),
            exact(p.exact.map(|exact| exact.labels)),
            with_interval(p.probe),
            exact(p.exact.map(|exact| exact.probe)),
        ]);
    }
    tables.push(table);
    tables
}

/// Networks with the fixed kernel of each below them.
fn pairs<'c>(caption: String, cells: impl Iterator<Item = &'c Cell>) -> Table {
    let mut table = Table::new(caption, header("networks"));
    for cell in cells {
        let name = format!("{}, m = {}", cell.networks.line.title(), cell.networks.width);
        table.push(row(name, &cell.found.network));
        table.push(row("… fixed NTK".into(), &cell.fixed));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_times_for_people() {
        assert_eq!(with_interval(Share { successes: 1900, trials: 2000 }), "0.950 (0.940–0.959)");
        assert_eq!([0, 1, 4, 7].map(time_title), ["0", "10", "10^{4}", "10^{32}"]);
    }
}
