//! Smoothness of labels, kept as a measurement.

use crate::analysis::labels::{Labels, infinite};
use crate::analysis::spectra::Spectra;
use crate::files::numbers::NumberTable;
use crate::machine::{Budget, Ended, Stop};
use crate::run::Observer;
use crate::study::Error;
use crate::study::kept::Measurement;

impl Measurement for Labels {
    fn settings(&self) -> Result<String, Error> {
        let (mut model, samples) = self.resolve(&Budget::default())?;
        // where the samples lie decides nothing: their checksum does
        model.data_dir = None;
        let names: Vec<&str> = self.codings.iter().map(|coding| coding.name()).collect();
        let table = toml::to_string(&model)?;
        Ok(format!("# codings {names:?}, {} draws; samples {}\n{table}", self.draws, samples.sha256))
    }
    fn plan(&self) -> Result<toml::Table, Error> {
        let mut table = toml::Table::try_from(&self.model)?;
        table.insert("draws".into(), toml::Value::Integer(self.draws as i64));
        Ok(table)
    }
    fn work(&self) -> f64 {
        Spectra::work(self.model.n.unwrap_or(3000), self.draws)
    }
    fn need(&self) -> Result<u64, Error> {
        Ok(self.need_of(&self.resolve(&Budget::default())?.1))
    }
    fn measure(&self, _: &mut (dyn Observer + Send), _: &Stop) -> Result<Ended<NumberTable>, Error> {
        let (model, samples) = self.resolve(&Budget::default())?;
        let functions = self.functions(&samples)?;
        Ok(Ended::Done(infinite(&model, &samples, self.draws)?.spectra(&functions, self.draws)?.table()))
    }
}
