//! ONNX models: read, edit, run; specs, pre- and post-processing, tiling, decoding, embeddings.
