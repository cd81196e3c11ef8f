//! Cases, tolerances and golden numbers shared by the test binaries.
