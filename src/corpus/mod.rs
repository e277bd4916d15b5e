//! Folders to files to text to chunks.
