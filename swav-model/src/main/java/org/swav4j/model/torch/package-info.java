/**
 * Files that {@code torch.save} writes, read without Python: the tensors of a state dict, and
 * nothing that could run. {@link org.swav4j.model.torch.TorchFile} is the way in; it knows the zip
 * archives of PyTorch 1.6 and later and the pickles of before. Which network the tensors belong to
 * is not known here.
 */
package org.swav4j.model.torch;
