"""Full-size networks of torchvision with random weights, running statistics included, in every form
that `train --init` reads, with the features that PyTorch computes of the same images. Run with
Debian's python3-torch and python3-torchvision (1.13 and 0.14), then compare:

    /usr/bin/python3 benchmarks/peer/torch_weights.py FOLDER
    java -cp "benchmarks/target/benchmarks.jar:benchmarks/target/lib/*" org.swav4j.benchmarks.TorchWeights FOLDER
"""
import collections
import json
import struct
import sys
from pathlib import Path

import torch
import torchvision
from torch import nn

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def random_network(name):
    torch.manual_seed(3)
    net = getattr(torchvision.models, name)(weights=None)
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.weight.uniform_(0.3, 0.8)
                m.bias.uniform_(-0.2, 0.2)
                m.running_mean.uniform_(-0.3, 0.3)
                m.running_var.uniform_(0.5, 1.5)
    return net.eval()


def safetensors(path, tensors):
    header, blobs, at = {}, [], 0
    for name, t in tensors.items():
        blob = t.contiguous().numpy().tobytes()
        dtype = {torch.float32: "F32", torch.int64: "I64", torch.bool: "BOOL"}[t.dtype]
        header[name] = {
            "dtype": dtype,
            "shape": list(t.shape),
            "data_offsets": [at, at + len(blob)],
        }
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def expected(net, name):
    trunk = nn.Sequential(*list(net.children())[:-1], nn.Flatten())
    out = {}
    for size in (224, 96):
        images = torch.randn(2, 3, size, size)
        with torch.no_grad():
            out[f"images{size}"] = images
            out[f"features{size}"] = trunk.double()(images.double()).float()
    safetensors(folder / f"{name}.expected", out)


def transposed(state):
    """Every matrix and kernel as a view of other strides."""
    return {
        k: v.transpose(0, 1).contiguous().transpose(0, 1) if v.dim() > 1 else v
        for k, v in state.items()
    }


for name in ("resnet18", "resnet34", "resnet50"):
    net = random_network(name)
    state = net.state_dict()
    torch.save(state, folder / f"{name}.zip.pth")
    torch.save(state, folder / f"{name}.legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(transposed(state), folder / f"{name}.strided.pth")
    optimiser = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimiser.step()
    net.load_state_dict(random_network(name).state_dict())
    nested = {
        "epoch": 3,
        "arch": name,
        "state_dict": collections.OrderedDict(("module." + k, v) for k, v in state.items()),
        "optimizer": optimiser.state_dict(),
    }
    torch.save(nested, folder / f"{name}.nested.pth.tar")
    safetensors(folder / f"{name}.safetensors", {**state, "mask": torch.zeros(4).bool()})
    expected(net, name)
    for dtype in (torch.float16, torch.bfloat16):
        half = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}
        short = str(dtype).split(".")[1]
        torch.save(half, folder / f"{name}-{short}.zip.pth")
        net = random_network(name)
        net.load_state_dict({k: v.float() for k, v in half.items()})
        expected(net, f"{name}-{short}")

# The published SwAV ResNet-50: its keys and shapes.
net = random_network("resnet50")
published = collections.OrderedDict(
    ("module." + k, v) for k, v in net.state_dict().items() if not k.startswith("fc.")
)
head = nn.Sequential(
    nn.Linear(2048, 2048), nn.BatchNorm1d(2048), nn.ReLU(), nn.Linear(2048, 128)
)
for k, v in head.state_dict().items():
    published["module.projection_head." + k] = v
published["module.prototypes.weight"] = torch.randn(3000, 128)
torch.save(published, folder / "resnet50.published.pth.tar")
