#![no_std]
//! Placeholder, replaced by the first module.
