//! What was judged of a run, in words.

use super::number;
use crate::kernel::Cause;
use crate::run::{Course, FAR, Failure, Judgement, Rate};

/// The sentences about it, each behind a space: why the run failed, or how the objective rose and came back.
pub fn judged(judgement: &Judgement) -> String {
    let Judgement { failures, course, rate, resting_from, .. } = judgement;
    let mut text: String = failures.iter().map(|failure| format!(" {}", told(failure, course))).collect();
    if let Some((times, step)) = course.rise() {
        let times = number(times);
        text.push_str(&format!(
            " On the way the objective rose, to {times} times its start at step {step}, and came back below it."
        ));
    }
    if let Some(from) = resting_from.filter(|_| !judgement.failed()) {
        text.push_str(&format!(" From t = {} on nothing moves any more.", number(from.exp_m1())));
    }
    if let Some(rate) = rate.filter(|rate| rate.is_beyond()) {
        text.push_str(&format!(" {}", beyond(&rate)));
    }
    text
}

/// A failure, as a sentence.
pub fn told(failure: &Failure, course: &Course) -> String {
    let Course { start, last, highest, highest_at, far_from, above_from, .. } = *course;
    match failure {
        Failure::Diverged { step } => {
            let rise = if highest.is_finite() {
                format!("was as large as {} at step {highest_at}", number(highest))
            } else {
                "was not finite".into()
            };
            let end = match (above_from, far_from) {
                (Some(_), _) if last.is_finite() => format!(" and ended at {}", number(last)),
                (Some(_), _) => String::new(),
                _ => format!(", more than {} times as much, before it ended at {}", number(FAR), number(last)),
            };
            let start = number(start);
            format!("The run diverged at step {step}: the objective, {start} at the start, {rise}{end}.")
        }
        Failure::Stopped { reason: Some(reason), .. } => format!("The run could not go on ({reason})."),
        Failure::Stopped { step, reason: None } => {
            format!("At step {step} the kernel or the parameters are not finite any more.")
        }
        Failure::Indefinite { step, lambda_min, lambda_max } => format!(
            "At step {step} the kernel has the eigenvalue {}, which is below 0 by more than rounding (the largest is {}).",
            number(*lambda_min),
            number(*lambda_max)
        ),
        Failure::Dead { step, cause } => {
            let when = if *step == 0 { "from the start".into() } else { format!("from step {step} on") };
            match cause {
                Cause::NoActiveUnit => format!("The network is dead {when}: {cause}, so that nothing can be trained."),
                _ => format!("The kernel is 0 {when}, and nothing can be trained: {cause}."),
            }
        }
    }
}

/// A rate beyond the stable one, as a sentence.
pub fn beyond(rate: &Rate) -> String {
    let Rate { given, stable, lambda_max, curvature, everywhere } = *rate;
    let factor = if curvature == 1.0 { String::new() } else { format!("{curvature} ") };
    let may =
        if everywhere { "" } else { "; the loss is less curved where it is confident, so training need not diverge" };
    format!(
        "The `rate`, {}, is beyond the stable one at the start, 2/({factor}λ_{{max}}/n + LAMBDA) = {} with λ_{{max}} = {}{may}.",
        number(given),
        number(stable),
        number(lambda_max)
    )
}
