//! What a file of results holds, in words.

/// A column of a csv file or an array of an npz file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// name of the file; in capitals what the user names
    pub file: &'static str,
    /// name of the column or array; `{k}` stands for 0, 1, …
    pub name: &'static str,
    /// unit or shape: `logit`, `(n, n)`; empty for counts and texts
    pub unit: &'static str,
    /// what it is, and when it is empty or absent
    pub meaning: &'static str,
}

impl Described {
    /// Those of one file, from (name, unit, meaning).
    pub const fn of<const N: usize>(
        file: &'static str,
        columns: [(&'static str, &'static str, &'static str); N],
    ) -> [Self; N] {
        let mut all = [Self { file, name: "", unit: "", meaning: "" }; N];
        let mut k = 0;
        while k < N {
            let (name, unit, meaning) = columns[k];
            all[k] = Self { file, name, unit, meaning };
            k += 1;
        }
        all
    }
}
