//! The files of MNIST, Fashion-MNIST and CIFAR-10, and how each is known to be the right one.
//!
//! MNIST is on mirrors that packed it anew, so its files are known by the SHA-256 of what is in them. For Fashion-MNIST
//! only checksums of the packed files are published; these are the SHA-256 of the .gz files of which the data set's
//! README gives the MD5 (8d4fb7e6…, 25c81989…, bef4ecab…, bb300cfd…). A mirror that packed them anew fails this check.
//! CIFAR-10 is one archive; its page gives the MD5 c32a1d4a…, and this is the SHA-256 of the file that has it.

use super::spec::Source;

/// One file of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteFile<'a> {
    /// Its name on the mirror and on disk.
    pub name: &'a str,
    /// How it is known to be right.
    pub check: Checksum<'a>,
}

/// A published SHA-256 in hexadecimal, small letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum<'a> {
    /// Of the content after gzip is undone.
    Unpacked(&'a str),
    /// Of the .gz file as it comes.
    Packed(&'a str),
}

impl<'a> Checksum<'a> {
    /// What is checked, for messages.
    pub fn what(&self) -> &'static str {
        match self {
            Checksum::Unpacked(_) => "the SHA-256 of the unpacked content",
            Checksum::Packed(_) => "the SHA-256 of the .gz file",
        }
    }

    /// The published checksum.
    pub fn expected(&self) -> &'a str {
        match self {
            Checksum::Unpacked(sum) | Checksum::Packed(sum) => sum,
        }
    }
}

const MNIST: [RemoteFile<'static>; 4] = [
    RemoteFile {
        name: "train-images-idx3-ubyte.gz",
        check: Checksum::Unpacked("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    },
    RemoteFile {
        name: "train-labels-idx1-ubyte.gz",
        check: Checksum::Unpacked("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    },
    RemoteFile {
        name: "t10k-images-idx3-ubyte.gz",
        check: Checksum::Unpacked("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    },
    RemoteFile {
        name: "t10k-labels-idx1-ubyte.gz",
        check: Checksum::Unpacked("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    },
];

const FASHION_MNIST: [RemoteFile<'static>; 4] = [
    RemoteFile {
        name: "train-images-idx3-ubyte.gz",
        check: Checksum::Packed("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    },
    RemoteFile {
        name: "train-labels-idx1-ubyte.gz",
        check: Checksum::Packed("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    },
    RemoteFile {
        name: "t10k-images-idx3-ubyte.gz",
        check: Checksum::Packed("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    },
    RemoteFile {
        name: "t10k-labels-idx1-ubyte.gz",
        check: Checksum::Packed("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    },
];

const CIFAR_10: [RemoteFile<'static>; 1] = [RemoteFile {
    name: "cifar-10-binary.tar.gz",
    check: Checksum::Packed("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
}];

/// The files of a data set, and the mirror they come from unless another is named; `None` when there are none.
pub(super) fn published(source: &Source) -> Option<(&'static [RemoteFile<'static>], &'static str)> {
    match source {
        Source::Mnist => Some((&MNIST, "https://ossci-datasets.s3.amazonaws.com/mnist/")),
        Source::FashionMnist => Some((&FASHION_MNIST, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")),
        Source::Cifar10 => Some((&CIFAR_10, "https://www.cs.toronto.edu/~kriz/")),
        _ => None,
    }
}
