//! A figure laid out: everything that its files show, and what they say beside.

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend, IntoDrawingArea};

use super::cells::Cells;
use super::heat_map::Maps;
use super::hover::Hover;
use super::markup::spoken;
use super::picture::Picture;
use super::shapes::{Recorder, Shape};
use super::text::Text;
use super::{Error, Figure};

/// A figure of either kind with everything measured.
pub(super) enum Measured<'a> {
    Axes(Box<Picture<'a>>),
    Maps(Maps<'a>),
}

impl<'a> Measured<'a> {
    pub(super) fn new(figure: &'a Figure) -> Self {
        if figure.maps.is_empty() { Self::Axes(Box::new(Picture::new(figure))) } else { Self::Maps(Maps::new(figure)) }
    }
    pub(super) fn size(&self) -> (u32, u32) {
        match self {
            Self::Axes(picture) => picture.size(),
            Self::Maps(maps) => maps.size(),
        }
    }
    fn note(&self) -> Option<&str> {
        match self {
            Self::Axes(picture) => picture.note.as_deref(),
            Self::Maps(maps) => maps.note.as_deref(),
        }
    }
    /// Cells, which lie over what is drawn and under the text.
    pub(super) fn cells(&self) -> Cells {
        match self {
            Self::Axes(_) => Cells::default(),
            Self::Maps(maps) => maps.cells(),
        }
    }
    /// The values that can be asked for, at most so many of a series or along a side of a map.
    pub(super) fn hovers(&self, most: usize) -> Vec<Hover> {
        match self {
            Self::Axes(picture) => picture.hovers(most),
            Self::Maps(maps) => maps.hovers(most),
        }
    }
    pub(super) fn draw<DB>(&self, page: &DrawingArea<DB, Shift>) -> Result<Vec<Text>, Error>
    where
        DB: DrawingBackend<ErrorType: 'static>,
    {
        match self {
            Self::Axes(picture) => picture.draw(page),
            Self::Maps(maps) => maps.draw(page),
        }
    }
    /// The shapes and the text, for a file that is no pixels.
    pub(super) fn shapes(&self) -> Result<(Vec<Shape>, Vec<Text>), Error> {
        let mut shapes = Vec::new();
        let texts = self.draw(&Recorder::new(self.size(), &mut shapes).into_drawing_area())?;
        Ok((shapes, texts))
    }
    /// What the figure shows, in words.
    pub(super) fn description(&self, figure: &Figure) -> String {
        let axes = [(&figure.x, "Horizontal"), (&figure.y, "Vertical")];
        let axes = axes.map(|(axis, which)| format!(" {which}: {}.", spoken(&axis.label)));
        let listed = |what: &str, labels: Vec<String>| {
            let labels: Vec<String> = labels.into_iter().filter(|label| !label.is_empty()).collect();
            if labels.is_empty() { String::new() } else { format!(" {what}: {}.", labels.join("; ")) }
        };
        let series = listed("Series", figure.series.iter().map(|series| spoken(&series.label)).collect());
        let maps = listed("Maps", figure.maps.iter().map(|map| spoken(&map.label)).collect());
        let note = self.note().map_or(String::new(), |note| format!(" {note}."));
        format!("{}{}{series}{maps}{note}", spoken(&figure.caption), axes.concat()).trim().into()
    }
}

/// What drew a figure, for its files.
pub(super) const MADE_BY: &str = concat!("ntkscope ", env!("CARGO_PKG_VERSION"));
