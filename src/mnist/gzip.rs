//! Gzip streams as `gzip` and Python read them: several one after the other, and zeros behind the last.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Unpacks streams one after the other. Zeros between or behind them, as tape drives and downloads leave them, are
/// skipped; anything else is an error, as in Python (`gzip` warns, and ignores it).
pub(super) struct Unpacked<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Unpacked<R> {
    pub fn new(packed: R) -> Self {
        Self(Some(GzDecoder::new(packed)))
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.0 {
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.0 = self.0.take().map(|decoder| next_stream(decoder.into_inner())).transpose()?.flatten();
        }
        Ok(0)
    }
}

fn next_stream<R: BufRead>(mut packed: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let bytes = packed.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        match (bytes.len(), zeros) {
            (0, _) => return Ok(None),
            (len, zeros) if len == zeros => packed.consume(zeros),
            (_, zeros) => {
                packed.consume(zeros);
                return Ok(Some(GzDecoder::new(packed)));
            }
        }
    }
}
