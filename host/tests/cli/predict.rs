//! `ntkscope predict`: where training ends, over initializations.

use crate::{Place, json};

/// (mean, sd, probability of class 1) of every test point.
#[track_caller]
fn points(place: &Place, line: &str) -> Vec<[f64; 3]> {
    let done = place.succeed(&format!("predict {line} --json"));
    let summary = json(&done.stdout);
    let number = |point: &serde_json::Value, key: &str| point[key].as_f64().unwrap_or(f64::NAN);
    let points = summary["points"].as_array().unwrap();
    points.iter().map(|p| [number(p, "mean"), number(p, "sd"), number(p, "probability1")]).collect()
}

#[test]
fn soft_targets_are_met_and_labels_that_disagree_are_soft() {
    let place = Place::new();
    // three points of the circle that are training points, of label 0
    let logit = 19f64.ln();
    for p in points(&place, "--smoothing 0.1 --init standard --held-out 3") {
        assert!((p[0] + logit).abs() < 1e-9 && p[1] < 1e-6 && (p[2] - 0.05).abs() < 1e-9, "{p:?}");
    }
    for p in points(&place, "--data conflicting --init standard --held-out 3") {
        assert!((p[0] + 3f64.ln()).abs() < 1e-9 && p[1] < 1e-6 && (p[2] - 0.25).abs() < 1e-9, "{p:?}");
    }
    // between the points a random initialization stays, a mirrored one has none
    assert!(points(&place, "--smoothing 0.1 --init standard --held-out 5").iter().any(|p| p[1] > 0.05));
    assert!(points(&place, "--smoothing 0.1 --init mirrored --held-out 5").iter().all(|p| p[1] == 0.0));
}

#[test]
fn a_penalty_and_files() {
    let place = Place::new();
    place.succeed("predict --penalty 0.05 --init standard --held-out 4 --out P.npz --quiet");
    for (name, columns) in [("x", 2), ("mean", 1), ("sd", 1), ("probability", 2), ("laplace_sd", 1)] {
        let (shape, values) = place.array("P.npz", name);
        assert_eq!(shape, [4, columns], "{name}");
        assert!(values.iter().all(|v| v.is_finite()));
    }
    let (sd, laplace) = (place.array("P.npz", "sd").1, place.array("P.npz", "laplace_sd").1);
    assert!(sd.iter().zip(&laplace).all(|(s, l)| l > &(1.5 * s)), "{sd:?} {laplace:?}");
    place.file("train.csv", "0,1,0\n1,0,1\n0,-1,0\n-1,0.5,1\n");
    place.file("test.csv", "0.5,0.5,0\n0.1,-0.3,1\n");
    place.succeed("predict --loss mse --data train.csv --test test.csv --time 50 --init standard --out P.csv --quiet");
    let text = String::from_utf8(place.bytes("P.csv")).unwrap();
    assert_eq!(text.lines().next(), Some("mean,sd,y,x0,x1"));
    assert_eq!(text.lines().count(), 3);
    // one network: its linearization ends where the run's limit says
    let model = "--width 32 --seed 3 --penalty 0.1 --held-out 4";
    place.succeed(&format!("run {model} --loss cross-entropy --until-time 1 --quiet --out o"));
    let expected = place.array("o/limit.npz", "linearized").1;
    let found = points(&place, &format!("{model} --kernel initial"));
    assert!(found.iter().zip(&expected[6..]).all(|(p, e)| (p[0] - e).abs() < 1e-12), "{found:?} {expected:?}");
}

/// Samples that no layer tells from 0 have the kernel 0: nothing is learned, and every output stays what it was.
#[test]
fn a_kernel_of_rank_0() {
    let place = Place::new();
    place.file("z.csv", "0,0,0\n0,0,1\n0,0,0\n0,0,1\n");
    for model in ["", "--kernel initial", "--init standard", "--loss mse", "--threads 1"] {
        let found = points(&place, &format!("--data z.csv --bias none --penalty 0.1 --n 3 --held-out 1 {model}"));
        assert_eq!(found.len(), 1, "{model}");
        let [mean, sd, probability] = found[0];
        let even = probability == 0.5 || model == "--loss mse";
        // one network has no spread
        let certain = sd == 0.0 || model == "--kernel initial";
        assert!(mean == 0.0 && certain && even, "{model}: {found:?}");
    }
}

/// On a line, without a bias: of four directions the kernel reaches two.
#[test]
fn singular_kernels_have_a_limit() {
    let place = Place::new();
    place.file("line.csv", "1,0.5\n-1,-1\n0.5,2\n-2,0.25\n");
    place.file("test.csv", "0.3,0\n-1.5,1\n");
    let line = "--data line.csv --test test.csv --loss mse --bias none";
    let means = |rest: &str| -> Vec<f64> { points(&place, &format!("{line} {rest}")).iter().map(|p| p[0]).collect() };
    for kernel in ["ntk", "initial --width 16 --init standard"] {
        let [limit, late] = ["", "--time 1e300"].map(|time| means(&format!("--kernel {kernel} {time}")));
        assert!(limit.iter().zip(&late).all(|(a, b)| (a - b).abs() < 1e-12), "{kernel}: {limit:?} {late:?}");
    }
    // every positive sample has the slope of least squares through 0, (0.5 + 1)/1.25, every negative one (1 - 0.5)/5
    let expected = [0.3 * 1.2, -1.5 * 0.1];
    assert!(means("").iter().zip(expected).all(|(m, e)| (m - e).abs() < 1e-12), "{:?}", means(""));
    let done = place.succeed(&format!("predict {line} --json"));
    let summary = json(&done.stdout);
    assert!(summary["unreached"] == 2 && summary["unmet"].as_f64().unwrap() > 0.5, "{summary}");
    assert!(done.stderr.contains("in 2 of 4 directions"), "{}", done.stderr);
    // soft labels under a singular kernel: the flow's limit as well
    let soft = "--smoothing 0.1 --bias none --depth 1 --held-out 4";
    let [limit, late] = ["", "--time 1e12"].map(|time| points(&place, &format!("{soft} --kernel initial {time}")));
    assert!(limit.iter().zip(&late).all(|(a, b)| (a[0] - b[0]).abs() < 1e-6), "{limit:?} {late:?}");
    assert!(points(&place, soft).iter().all(|p| p[0].is_finite()));
    // neighbours that contradict each other cost digits
    place.file("near.csv", "1,0,1\n1,1e-12,-1\n0,1,0.5\n");
    place.file("plane.csv", "1,2,0\n");
    let near = "predict --data near.csv --test plane.csv --loss mse --depth 1";
    assert!(place.succeed(near).stderr.contains("digits"), "told");
    place.file("near.csv", "1,0,1\n1,1e-12,1\n0,1,0.5\n");
    assert!(!place.succeed(near).stderr.contains("warning"), "nothing is lost");
}

#[test]
fn what_has_no_answer_is_refused() {
    let place = Place::new();
    place.refuse("predict --held-out 4", 2, &["no finite solution", "--penalty", "--smoothing"]);
    place.refuse("predict --penalty 0.1", 2, &["--held-out", "--test"]);
    place.refuse("predict --smoothing 0.1 --time 5 --held-out 4", 2, &["--time 5", "--kernel initial"]);
    place.refuse("predict --loss both --held-out 4", 2, &["--loss both"]);
    place.refuse("predict --loss mse --time -1 --held-out 4", 2, &["--time -1"]);
    place.refuse("predict --loss mse --penalty -1 --held-out 4", 2, &["--penalty -1"]);
    place.file("test.csv", "1,2,3,0\n4,5,6,1\n");
    place.refuse("predict --loss mse --test test.csv", 2, &["--test", "3 numbers"]);
    place.refuse("predict --loss mse --test absent.csv", 3, &["absent.csv"]);
}

/// A loss of kinks is not met by interpolation, and one without a least value never.
#[test]
fn losses_without_a_closed_form_are_refused() {
    let place = Place::new();
    let refused = |line: String| {
        let done = place.run(format!("predict --held-out 3 --loss {line}").split_whitespace());
        assert_eq!(done.code, 2, "{line}: {}", done.stderr);
        done.stderr
    };
    for kernel in ["", "--kernel initial --width 8", "--kernel initial --width 8 --time 3", "--penalty 0.1"] {
        let said = refused(format!("hinge {kernel}"));
        assert!(
            said.contains("--loss hinge") && said.contains("give one of mse, cross-entropy, exponential"),
            "{said}"
        );
    }
    let said = refused("exponential".into());
    assert!(said.contains("never converges; give --penalty, or"), "{said}");
    // of 6 points of the circle the first is of class 0
    assert!(points(&place, "--held-out 3 --loss exponential --penalty 0.1")[0][0] < -0.5);
    let line = "predict --held-out 3 --loss exponential --penalty 0.1 --json";
    assert!(!place.succeed(line).stdout.contains("laplace_sd"), "a posterior of what is no likelihood");
}

/// Images are scaled to unit norm without being asked to; a file of test points beside them is too.
#[test]
fn test_points_are_prepared_as_the_training_samples_are() {
    let place = Place::new();
    crate::files::digits(&place, "d", 24);
    let data = "--data mnist --data-dir d --n 16 --depth 1 --quiet";
    for command in ["predict --loss mse --penalty 0.1", "regress --ridge 0.1"] {
        place.succeed(&format!("{command} {data} --held-out 6 --out P.csv"));
        let held_out = std::fs::read_to_string(place.path("P.csv")).unwrap();
        let mut lines = held_out.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let (y, x) = (
            header.iter().position(|name| *name == "y").unwrap(),
            header.iter().position(|name| *name == "x0").unwrap(),
        );
        let mut scaled = String::new();
        for line in lines {
            line[x..].iter().for_each(|x| scaled += &format!("{:?},", 37.0 * x.parse::<f64>().unwrap()));
            scaled += &format!("{}\n", line[y]);
        }
        place.file("T.csv", scaled);
        place.succeed(&format!("{command} {data} --test T.csv --out Q.csv"));
        let column = |file: &str| -> Vec<f64> {
            let text = std::fs::read_to_string(place.path(file)).unwrap();
            text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect()
        };
        let (exact, found) = (column("P.csv"), column("Q.csv"));
        assert_eq!(header[0], "mean");
        assert!(exact.iter().zip(&found).all(|(e, f)| (e - f).abs() < 1e-9), "{command}: {exact:?} {found:?}");
    }
}
