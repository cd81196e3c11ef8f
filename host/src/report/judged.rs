//! What was judged of a run, in words.

use super::number;
use crate::kernel::Degeneracy;
use crate::run::{Course, Edge, FAR, Failure, Judgement, Rate, StableRate};

/// The sentences about it, each after a space: why the run failed, or how the objective rose and came back.
pub fn judged(judgement: &Judgement) -> String {
    let Judgement { failures, course, rate, edge, resting_from, swallowed_from, .. } = judgement;
    let mut text: String = failures.iter().map(|failure| format!(" {}", told(failure, course))).collect();
    if let Some((times, step)) = course.rise() {
        let times = number(times);
        let catapult = if edge.is_some() { " (a catapult)" } else { "" };
        text.push_str(&format!(
            " Along the way the objective rose to {times} times its initial value at step {step} and came back below it{catapult}."
        ));
    }
    if let Some(from) = resting_from.filter(|_| !judgement.failed()) {
        text.push_str(&format!(" Nothing moves any more after t = {}.", number(from.exp_m1())));
    }
    if let Some(step) = swallowed_from {
        text.push_str(&format!(
            " From step {step} on no parameter has moved: the steps are below the rounding of the parameters. A larger rate, samples and \
             targets scaled to about 1, or double precision would get further."
        ));
    }
    if let Some(rate) = rate.filter(|rate| rate.is_beyond()) {
        text.push_str(&format!(" {}", beyond(&rate)));
    }
    if let Some(edge) = edge {
        text.push_str(&format!(" {}", past(edge)));
    }
    text
}

/// A failure, as a sentence.
pub fn told(failure: &Failure, course: &Course) -> String {
    let Course { start, last, highest, highest_at, far_from, above_from, .. } = *course;
    match failure {
        Failure::Diverged { step } => {
            let rise = if highest.is_finite() {
                format!("reached {} at step {highest_at}", number(highest))
            } else {
                "was not finite".into()
            };
            let end = match (above_from, far_from) {
                (Some(_), _) if last.is_finite() => format!(" and ended at {}", number(last)),
                (Some(_), _) => String::new(),
                _ => format!(", more than {} times that, before it ended at {}", number(FAR), number(last)),
            };
            let start = number(start);
            format!("The run diverged at step {step}: the objective, initially {start}, {rise}{end}.")
        }
        Failure::Stopped { reason: Some(reason), .. } => format!("The run could not continue ({reason})."),
        Failure::Stopped { step, reason: None } => {
            format!("At step {step} the kernel or the parameters are no longer finite.")
        }
        Failure::Indefinite { step, lambda_min, lambda_max } => format!(
            "At step {step} the kernel has the eigenvalue {}, which is negative beyond rounding error (the largest is {}).",
            number(*lambda_min),
            number(*lambda_max)
        ),
        Failure::Dead { step, cause } => {
            let when = if *step == 0 { "from the start".into() } else { format!("from step {step} on") };
            match cause {
                Degeneracy::NoActiveUnit => format!("The network is dead {when}: {cause}, so nothing can be trained."),
                _ => format!("The kernel is 0 {when}, and nothing can be trained: {cause}."),
            }
        }
    }
}

/// A rate beyond the stable one, as a sentence.
pub fn beyond(rate: &Rate) -> String {
    let Rate { given, reading, bound } = *rate;
    let here = number(given / reading);
    let stable = bound.map_or_else(
        || format!("the stable rate is {here} for the initial outputs, and the curvature of this loss has no bound"),
        |bound| whatever_the_outputs(&bound, &here),
    );
    format!(
        "The `rate`, {}, is beyond the edge of stability at initialization: rate × sharpness / 2 is {}, and descent is stable \
         below 1 ({stable}).",
        number(given),
        number(reading)
    )
}

/// The rate that is stable for any outputs, beside the one that is `here`.
fn whatever_the_outputs(bound: &StableRate, here: &str) -> String {
    let StableRate { rate, lambda_max, divisor, penalty, curvature, everywhere } = *bound;
    let factor = if curvature == 1.0 { String::new() } else { format!("{curvature} ") };
    let over = if divisor == 1.0 { "" } else { "/n" };
    let penalty = if penalty > 0.0 { format!(" + {}", number(penalty)) } else { String::new() };
    let bound = format!("2/({factor}λ_{{max}}{over}{penalty}) = {}", number(rate));
    match everywhere {
        true => format!("the stable rate is {bound} with λ_{{max}} = {}", number(lambda_max)),
        false => format!(
            "the stable rate is {here} for the initial outputs, and {bound} for any outputs, with λ_{{max}} = {}",
            number(lambda_max)
        ),
    }
}

/// Readings above 1 on the way, as a sentence.
fn past(edge: &Edge) -> String {
    let Edge { first, highest, stable_from, lambda_max, loss } = edge;
    let end = match stable_from {
        Some(step) => format!("it stayed below 1 from step {step} on"),
        None => "it was still above 1 at the end".into(),
    };
    let highest = if highest == first {
        format!("{} at step {}", number(first.1), first.0)
    } else {
        format!("{} at step {}, up to {} at step {}", number(first.1), first.0, number(highest.1), highest.0)
    };
    format!(
        "Rate × sharpness / 2 exceeded 1 ({highest}); {end}; the loss was {} before and {} at its peak, and λ_{{max}} of the kernel went from \
         {} to {}.",
        number(loss.0),
        number(loss.1),
        number(lambda_max.0),
        number(lambda_max.1)
    )
}
