use super::*;

const SIDE: f64 = 0.025;

fn values(values: &[f64]) -> Estimate {
    Measured::Values(values.to_vec()).estimate().unwrap()
}

#[test]
fn intervals_are_students() {
    // t_3(0.975) = 3.182446
    let four = values(&[1.0, 2.0, 3.0, 6.0]);
    let [low, high] = four.interval(SIDE).unwrap();
    let half = 3.182_446_305_284_263 * (14.0f64 / 3.0 / 4.0).sqrt();
    assert!((low - 3.0 + half).abs() < 1e-9 && (high - 3.0 - half).abs() < 1e-9, "{low} {high}");
    assert_eq!(values(&[5.0]).interval(SIDE), None, "a single value has no interval");
    assert_eq!(values(&[5.0, 5.0]).interval(SIDE), Some([5.0, 5.0]));
    assert_eq!(Measured::Exact(2.0).estimate().unwrap().interval(SIDE), Some([2.0, 2.0]));
    for nothing in [Measured::Nothing("why".into()), Measured::Exact(f64::NAN), Measured::Values(vec![1.0, f64::NAN])] {
        assert_eq!(nothing.estimate(), None);
    }
}

#[test]
fn three_verdicts() {
    let four = values(&[1.0, 2.0, 3.0, 6.0]);
    let judge = |low, high| four.verdict(Allowed { low, high }, SIDE);
    assert_eq!(judge(-0.5, 6.5), Verdict::Holds);
    assert_eq!(judge(2.9, 3.1), Verdict::NotDecided, "the mean lies inside, the interval does not");
    assert_eq!(judge(6.5, 9.0), Verdict::Fails);
    assert_eq!(judge(6.0, f64::INFINITY), Verdict::NotDecided, "the interval reaches in");
    assert_eq!(judge(f64::NEG_INFINITY, 6.5), Verdict::Holds);
    assert_eq!(values(&[3.0]).verdict(Allowed::at_least(0.0), SIDE), Verdict::NotDecided);
    let exact = |value: f64| Measured::Exact(value).estimate().unwrap().verdict(Allowed::at_most(1.0), SIDE);
    assert_eq!([exact(1.0), exact(1.1)], [Verdict::Holds, Verdict::Fails]);
}

/// The verdict by probabilities is the verdict by the interval.
#[test]
fn probabilities_and_intervals_agree() {
    let sample = values(&[0.3, -0.2, 0.5, 0.1, 0.4]);
    for step in -40..40 {
        let centre = f64::from(step) * 0.05;
        for width in [0.0, 0.1, 0.7, f64::INFINITY] {
            let allowed = Allowed { low: centre - width, high: centre + 0.3 };
            for side in [0.025, 0.003] {
                let [outside, inside] = sample.probabilities(allowed);
                let expected = match () {
                    () if outside <= side => Verdict::Holds,
                    () if inside <= side => Verdict::Fails,
                    () => Verdict::NotDecided,
                };
                assert_eq!(sample.verdict(allowed, side), expected, "{allowed:?} at {side}");
            }
        }
    }
}

#[test]
fn the_seeds_that_would_decide() {
    let four = values(&[1.0, 2.0, 3.0, 6.0]);
    let needed = |low, high| four.seeds_to_decide(Allowed { low, high }, SIDE);
    let count = needed(2.0, 4.0).unwrap();
    // s = 2.16: 1.96 s/sqrt(n) = 1 at n = 18, a little more by Student's t
    assert!((18..=23).contains(&count), "{count}");
    let scatter = (14.0f64 / 3.0).sqrt();
    for (n, decided) in [(count, true), (count - 1, false)] {
        let with = Estimate { value: 3.0, error: Some(scatter / (n as f64).sqrt()), count: n, range: None };
        assert_eq!(with.verdict(Allowed::between(2.0, 4.0), SIDE) != Verdict::NotDecided, decided);
    }
    assert_eq!(needed(3.0, 9.0), None, "on the edge no number of seeds decides");
    assert_eq!(values(&[1.0]).seeds_to_decide(Allowed::at_least(0.0), SIDE), None);
}

#[test]
fn many_claims_are_judged_more_strictly_than_one() {
    let clear = (Some(values(&[1.0, 1.1, 0.9, 1.0])), Allowed::between(0.5, 1.5));
    let open = (Some(values(&[1.0, 2.0, 3.0, 6.0])), Allowed::between(2.9, 3.1));
    let missing = (None, Allowed::number(0.0));
    let all = Level::of([clear; 5]);
    assert_eq!((all.decided, all.judged, all.side), (5, 5, 0.025));
    assert!((all.coverage() - 0.95).abs() < 1e-15 && (all.expected_false() - 0.125).abs() < 1e-15);
    let few = Level::of([clear, open, open, missing]);
    assert_eq!((few.decided, few.judged, few.side), (1, 4, 0.025 / 4.0));
    assert_eq!(Level::of([open; 3]).side, 0.025 / 3.0);
    assert_eq!(Level::of([]), Level { side: 0.025, decided: 0, judged: 0 });
}

/// The number of false verdicts of whole studies, whose true values lie on the edge of what is allowed, where they are
/// easiest to miss, and farther in and out.
#[test]
fn false_verdicts_are_as_rare_as_promised() {
    let mut normals = ntkscope_core::init::Normals::new(7);
    const CLAIMS: usize = 30;
    const STUDIES: usize = 600;
    let allowed = Allowed::between(-1.0, 1.0);
    for seeds in [3, 8] {
        let (mut decided, mut wrong, mut shares) = (0, 0, 0.0);
        for _ in 0..STUDIES {
            let study: Vec<(f64, Estimate)> = (0..CLAIMS)
                .map(|claim| {
                    let truth = [0.0, 0.5, 1.0 - 1e-9, 1.0 + 1e-9, 1.5, 3.0][claim % 6];
                    let sample: Vec<f64> = (0..seeds).map(|_| truth + 0.5 * normals.draw()).collect();
                    (truth, values(&sample))
                })
                .collect();
            let level = Level::of(study.iter().map(|(_, estimate)| (Some(*estimate), allowed)));
            let verdicts = study.iter().map(|(truth, estimate)| (truth, estimate.verdict(allowed, level.side)));
            let found: Vec<(bool, Verdict)> = verdicts.map(|(truth, verdict)| (truth.abs() <= 1.0, verdict)).collect();
            let made = found.iter().filter(|(_, verdict)| *verdict != Verdict::NotDecided).count();
            let missed = |(inside, verdict): &&(bool, Verdict)| match verdict {
                Verdict::Holds => !inside,
                Verdict::Fails => *inside,
                Verdict::NotDecided => false,
            };
            let false_ones = found.iter().filter(missed).count();
            assert_eq!(made, level.decided, "as many as the level says");
            (decided, wrong) = (decided + made, wrong + false_ones);
            shares += false_ones as f64 / made.max(1) as f64;
        }
        let share = shares / STUDIES as f64;
        assert!(share <= FALSE_SHARE, "{seeds} seeds: a share of {share}; {wrong} of {decided}");
        assert!(decided > STUDIES * CLAIMS / 50, "{seeds} seeds decide something: {decided}");
    }
}

fn yes_or_no(hits: usize, count: usize) -> Estimate {
    let values = (0..count).map(|i| f64::from(u8::from(i < hits))).collect();
    Measured::between([0.0, 1.0], values, "networks").estimate().unwrap()
}

/// Equal values of yes or no are no certainty: the interval is Clopper and Pearson's, and probabilities agree with it.
#[test]
fn what_was_not_seen_may_be_there() {
    for (count, low) in [(1, 0.025), (2, 0.1581), (10, 0.6915), (2000, 0.99816)] {
        let all = yes_or_no(count, count);
        let [found, high] = all.interval(0.025).unwrap_or([0.025, 1.0]);
        assert!((found - low).abs() < 1e-4 && high == 1.0, "{count}: {found}");
        let none = yes_or_no(0, count);
        let [zero, found] = none.interval(0.025).unwrap_or([0.0, 0.975]);
        assert!(zero == 0.0 && (found - (1.0 - low)).abs() < 1e-4);
        // the bound that the interval just misses has the level for its probability
        let bound = Allowed::at_least(0.025f64.powf(1.0 / count as f64));
        if count > 1 {
            assert!((all.probabilities(bound)[0] - 0.025).abs() < 1e-9);
        }
    }
    // where both occur, and often, the interval is Student's
    let (half, values) = (yes_or_no(1000, 2000), [vec![1.0; 1000], vec![0.0; 1000]].concat());
    assert_eq!(half.interval(0.025), super::Measured::Values(values).estimate().unwrap().interval(0.025));
    // differences, all of them 0
    let none = Measured::between([-1.0, 1.0], vec![0.0; 2000], "networks").estimate().unwrap();
    let [low, high] = none.interval(0.025).unwrap();
    assert!((low + 0.00184).abs() < 1e-5 && (high - 0.00184).abs() < 1e-5);
    assert_eq!(none.verdict(Allowed::at_least(0.0), 0.025), Verdict::NotDecided);
}

#[test]
fn what_a_value_is_of_is_told() {
    assert_eq!(Measured::sample(vec![1.0], "images").units(), "images");
    assert_eq!(Measured::Values(vec![1.0]).units(), "seeds");
}
