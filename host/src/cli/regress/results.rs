//! What a regression found: saved, and told to people or scripts.

use anyhow::Result;
use clap::ValueEnum;
use ntkscope_core::MatRef;
use ntkscope_core::loss::{Loss, sigmoid};
use serde_json::json;
use toml::{Table, Value};

use super::RegressArgs;
use super::solution::{Found, transposed};
use crate::cli::json::{document, print_document};
use crate::cli::prediction::{Answers, Columns, Quantity};
use crate::cli::terminal::print;
use crate::cli::unused::used;
use crate::data::Samples;
use crate::experiment::Settings;
use crate::files::Format;
use crate::files::numbers::Json as Number;
use crate::regression::probabilities;
use crate::words::{count, number};

impl Found {
    pub(super) fn save_and_print(
        &self,
        args: &RegressArgs,
        format: Option<Format>,
        settings: &Settings,
        samples: &Samples,
    ) -> Result<()> {
        let (m, outputs) = (samples.held_out_count(), self.outputs);
        let quantity = |name, width, values| Quantity { name, width, values };
        let likely = self.likelihood(args, samples)?;
        let mut quantities = vec![quantity("mean", outputs, &self.mean)];
        quantities.extend(likely.as_ref().map(|(p, _)| quantity("probability", outputs.max(2), p)));
        let answers = Answers::new(samples, &self.mean, outputs);
        quantities.extend(answers.quantities());
        let columns = Columns { points: m, quantities };
        match &args.out {
            Some(path) if format == Some(Format::Csv) => columns.write_csv(path, &samples.held_out)?,
            Some(path) => columns.write_npz(path, &samples.held_out, &answers)?,
            None => {}
        }
        let log_likelihood = likely.and_then(|(_, mean)| mean);
        let (loss, accuracy) = self.training;
        if args.common.json {
            let mut all = used("regress", Table::try_from(&settings.model)?);
            let kernel = args.large.kernel.to_possible_value().map_or(String::new(), |k| k.get_name().to_owned());
            for (key, value) in [
                ("kernel", Value::String(kernel)),
                ("loss", Value::String(args.loss.to_string())),
                ("ridge", Value::Float(args.ridge)),
                ("tolerance", Value::Float(args.tolerance)),
            ] {
                all.insert(key.into(), value);
            }
            let mut body = json!({
                "network": self.described, "data": samples.description, "residual": Number(self.fit.solved.residual),
                "converged": self.fit.solved.converged, "products": self.fit.solved.products, "newton_steps": self.fit.steps,
                "rank": self.fit.rank, "trace_left": Number(self.fit.left), "training_loss": Number(loss),
                "training_accuracy": Number(accuracy), "points": m, "log_likelihood": log_likelihood.map(Number),
                "memory": { "forecast": self.memory }, "targets": samples.targets, "class_labels": samples.class_names(),
            });
            answers.scores().for_each(|(name, value)| body[name] = json!(value));
            return print_document(&document("regress", &all, body));
        }
        let line = |what: &str, value: &str| print(&format!("{what:<18}{value}"));
        let steps = self.fit.steps.map_or(String::new(), |steps| format!(" in {}", count(steps, "Newton step")));
        let products = count(self.fit.solved.products, "product");
        line("residual", &format!("{} after {products} with the kernel{steps}", number(self.fit.solved.residual)))?;
        line("preconditioner", &format!("rank {}, {} of the trace left", self.fit.rank, number(self.fit.left)))?;
        let right = if accuracy.is_nan() { String::new() } else { format!(", accuracy {}", number(accuracy)) };
        line("training samples", &format!("mean loss {}{right}", number(loss)))?;
        if m == 0 {
            return Ok(());
        }
        let scores: Vec<String> = answers.scores().map(|(name, value)| format!("{name} {}", number(value))).collect();
        let likely = log_likelihood.map(|value| format!("mean log-likelihood {}", number(value)));
        let all: Vec<String> = scores.into_iter().chain(likely).collect();
        line("test points", &format!("{m}: {}", if all.is_empty() { "no y is known".into() } else { all.join(", ") }))
    }

    /// Of cross-entropy the probabilities of the classes `(m, max(C, 2))`, and the mean logarithm of that of the right one, where
    /// labels are known.
    #[allow(clippy::type_complexity, reason = "a pair of what is saved and what is told")]
    fn likelihood(&self, args: &RegressArgs, samples: &Samples) -> Result<Option<(Vec<f64>, Option<f64>)>> {
        let (m, c) = (samples.held_out_count(), self.outputs);
        if args.loss != Loss::CrossEntropy {
            return Ok(None);
        }
        let all: Vec<f64> = if c == 1 {
            // each by itself: the complement of a probability near 1 has few digits
            self.mean.iter().flat_map(|f| [sigmoid(-f), sigmoid(*f)]).collect()
        } else {
            let by_class = transposed(&self.mean, m, c);
            transposed(&probabilities(MatRef::new(&by_class, c, m)?)?, c, m)
        };
        let known = samples.held_out_y.len() == m && m > 0;
        let labels = samples.map.as_ref().filter(|_| known);
        let classes =
            labels.and_then(|map| samples.held_out_y.iter().map(|y| map.class_of(*y)).collect::<Option<Vec<usize>>>());
        // from the outputs: the logarithm of a probability that is 0 in its digits is not infinite
        let mean = classes.map(|classes| self.mean_loss(args.loss, &classes)).transpose()?.map(|loss| -loss);
        Ok(Some((all, mean)))
    }

    /// The mean loss of the predictions where these are the right classes (m).
    fn mean_loss(&self, loss: Loss, classes: &[usize]) -> Result<f64> {
        let (m, c) = (classes.len(), self.outputs);
        let mut targets = vec![0.0; m * c];
        for (target, class) in targets.chunks_exact_mut(c).zip(classes) {
            loss.target(*class, 0.0, target)?;
        }
        Ok(loss.evaluate(MatRef::new(&self.mean, m, c)?, MatRef::new(&targets, m, c)?)?.loss)
    }
}
