//! The network and settings of a published experiment (Yu, Tian, Chen 2025, figures 1 and 3), against numbers of an independent
//! program: mean and standard deviation over its seeds.

use crate::Place;

/// Three layers of width 2000 without biases, six points, the mean loss, kernels of a point.
const RUN: &str = "run --network fcn --depth 3 --width 2000 --bias none --init standard --loss cross-entropy --data circle --dtype f32 \
                   --predictions false --reading point --profile circle --times 0,1000,120000 --no-figures --quiet --out o";

#[test]
fn three_layers_of_width_2000_are_those_of_an_independent_program() {
    let place = Place::new();
    place.succeed(RUN);
    let rows = place.trace("o/trace.csv").rows;
    assert_eq!(rows.len(), 3);
    let near = |what: &str, here: f64, mean: f64, three_deviations: f64| {
        assert!((here - mean).abs() < three_deviations, "{what}: {here}, {mean} ± {three_deviations}");
    };
    near("margin at t = 1000", rows[1].margin_mean, 5.20, 0.15);
    near("drift at t = 1000", rows[1].drift_max, 0.54, 0.4);
    near("margin at t = 120,000", rows[2].margin_mean, 10.33, 0.1);
    near("movement at t = 120,000", rows[2].param_distance, 21.2, 2.0);
    near("largest movement at t = 120,000", rows[2].param_max, 0.82, 0.25);
    // time, log_time, position, kernel, analytic
    let table = String::from_utf8(place.bytes("o/profile.csv")).unwrap();
    let numbers = |line: &str| line.split(',').map(|cell| cell.parse().unwrap()).collect::<Vec<f64>>();
    let lines: Vec<Vec<f64>> = table.lines().skip(1).map(numbers).collect();
    let moments: Vec<&[Vec<f64>]> = lines.chunk_by(|a, b| a[0] == b[0]).collect();
    let at = |moment: usize, degrees: f64| {
        let is_there = |line: &&Vec<f64>| (line[2].to_degrees() - degrees).abs() < 0.1;
        moments[moment].iter().find(is_there).unwrap_or_else(|| panic!("nothing at {degrees}"))[3]
    };
    near("rise at 0 by t = 120,000", at(2, 0.0) - at(0, 0.0), 2.1, 0.9);
    near("rise at 180° by t = 120,000", at(2, 180.0) - at(0, 180.0), 0.2, 0.06);
    // steeper before the neighbouring training points than after them, and so from the start on ever more
    let fall = |moment: usize, from: f64, to: f64| {
        (at(moment, from) + at(moment, -from) - at(moment, to) - at(moment, -to)) / (to - from)
    };
    let kink = |moment: usize| fall(moment, 54.0, 59.0) / fall(moment, 61.0, 66.0);
    assert!(kink(0) < 1.5 && kink(2) > 1.1 * kink(0), "{} and {}", kink(0), kink(2));
}
