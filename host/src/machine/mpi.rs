//! Ranks by the Message Passing Interface.

use std::any::Any;

use mpi::Threading;
use mpi::collective::CommunicatorCollectives;
use mpi::datatype::{Partition, PartitionMut};
use mpi::topology::{Communicator, SimpleCommunicator};

use super::cores;
use super::ranks::Ranks;

/// What the launchers of Open MPI, MPICH, Intel MPI, Slurm and Cray set in the environment of what they start. Without any of them the
/// process is alone, and MPI is not begun.
const STARTED: [&str; 4] = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PALS_RANKID"];

/// All processes that the launcher has started.
#[derive(Clone, Copy, Debug)]
struct World {
    rank: usize,
    size: usize,
    /// on this machine
    here: usize,
    /// for each of those
    cores: usize,
}

/// The ranks of this process, and what ends MPI when it is dropped; `None` where no launcher has started it.
pub(super) fn others() -> Option<(&'static dyn Ranks, Box<dyn Any>)> {
    if STARTED.iter().all(|name| std::env::var_os(name).is_none()) {
        return None;
    }
    // one thread at a time calls MPI, not always the one that began it
    let (universe, _) = mpi::initialize_with_threading(Threading::Serialized)?;
    let world = universe.world();
    let (here, cores) = own_cores(&world);
    let found = World { rank: world.rank() as usize, size: world.size() as usize, here, cores };
    Some((Box::leak(Box::new(found)), Box::new(universe)))
}

/// Ranks of this machine, and cores for each: those that the launcher has bound to it, or a share of those that several may use.
fn own_cores(world: &SimpleCommunicator) -> (usize, usize) {
    let here = world.split_shared(world.rank());
    let mut all = vec![0_u64; here.size() as usize];
    here.all_gather_into(&(cores() as u64), &mut all[..]);
    // SAFETY: it takes no pointer; an answer below 1 says that it is not known
    let there = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }.max(1) as u64;
    let ranks_a_core = all.iter().sum::<u64>().div_ceil(there).max(1);
    (all.len(), (cores() / ranks_a_core as usize).max(1))
}

impl Ranks for World {
    fn rank(&self) -> usize {
        self.rank
    }
    fn size(&self) -> usize {
        self.size
    }
    fn exchange(&self, to: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        let world = SimpleCommunicator::world();
        let count = |numbers: &Vec<f64>| i32::try_from(numbers.len()).expect("MPI counts up to 2^31 numbers");
        let places = |counts: &[i32]| -> Vec<i32> {
            let place = |sum: &mut i32, count: &i32| {
                let first = *sum;
                *sum = sum.checked_add(*count).expect("MPI counts up to 2^31 numbers");
                Some(first)
            };
            counts.iter().scan(0, place).collect()
        };
        let sent: Vec<i32> = to.iter().map(count).collect();
        let mut received = vec![0; self.size];
        world.all_to_all_into(&sent[..], &mut received[..]);
        let outgoing = to.concat();
        drop(to);
        let mut incoming = vec![0.0; received.iter().map(|count| *count as usize).sum()];
        let from = Partition::new(&outgoing[..], &sent[..], places(&sent));
        world.all_to_all_varcount_into(
            &from,
            &mut PartitionMut::new(&mut incoming[..], &received[..], places(&received)),
        );
        let mut rest = &incoming[..];
        let parts = received.iter().map(|count| {
            let (part, after) = rest.split_at(*count as usize);
            rest = after;
            part.to_vec()
        });
        parts.collect()
    }
    fn here(&self) -> usize {
        self.here
    }
    fn cores(&self) -> usize {
        self.cores
    }
    fn abort(&self, code: u8) -> ! {
        SimpleCommunicator::world().abort(i32::from(code))
    }
}
