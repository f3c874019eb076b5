"""Small SwAV networks computed by PyTorch, as safetensors: weights under torchvision's names, and
`expected.*`: images, features, embeddings, scores; and two of them as torch.save writes them: with the
published SwAV network's names, and as a checkpoint of half-precision views in the older format. Run with
torch 1.13 and torchvision 0.14:

    python3 make_fixtures.py

Blocks are torchvision's own; weights and statistics are random. Values are in double, rounded to
float where a file says so.
"""
import json
import struct

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck

KINDS = {
    "resnet20": (BasicBlock, [3, 3, 3], 16),
    "resnet18": (BasicBlock, [2, 2, 2, 2], 64),
    "resnet50": (Bottleneck, [3, 4, 6, 3], 64),
}


class Network(nn.Module):
    def __init__(self, architecture, width, stem, channels, hidden, dim, prototypes):
        super().__init__()
        block, blocks, base = KINDS[architecture]
        planes = [round(base * width) << stage for stage in range(len(blocks))]
        small = stem == "small"
        self.conv1 = nn.Conv2d(
            channels, planes[0], 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False
        )
        self.bn1 = nn.BatchNorm2d(planes[0])
        self.pool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        inside = planes[0]
        self.stages = len(blocks)
        for stage, count in enumerate(blocks):
            layers = []
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                out = planes[stage] * block.expansion
                shortcut = None
                if stride != 1 or inside != out:
                    shortcut = nn.Sequential(
                        nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out)
                    )
                # a bottleneck's inner width is planes * base_width / 64 = planes
                layers.append(block(inside, planes[stage], stride, shortcut))
                inside = out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.projection_head = nn.Sequential(
            nn.Linear(inside, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, dim)
        )
        self.prototypes = nn.Linear(dim, prototypes, bias=False)

    def forward(self, x):
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        features = x.mean((2, 3))
        z = F.normalize(self.projection_head(features), dim=1)
        scores = z @ F.normalize(self.prototypes.weight, dim=1).T
        return features, z, scores


def save(path, tensors, metadata):
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, t in tensors.items():
        dtype = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}[t.dtype]
        blob = t.contiguous().numpy().tobytes()
        header[name] = {
            "dtype": dtype,
            "shape": list(t.shape),
            "data_offsets": [at, at + len(blob)],
        }
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def fixture(architecture, width, stem, channels, size):
    torch.manual_seed(7)
    hidden, dim, prototypes = 12, 8, 5
    net = Network(architecture, width, stem, channels, hidden, dim, prototypes)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.3, 0.3)
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 1.5)
    tensors = {k: v.clone() for k, v in net.state_dict().items()}
    images = torch.rand(2, channels, *size).round(decimals=3)
    mean, deviation = [0.4, 0.5, 0.6][:channels], [0.2, 0.25, 0.3][:channels]
    net.double().eval()
    shape = (1, channels, 1, 1)
    with torch.no_grad():
        m = torch.tensor(mean, dtype=torch.float64).reshape(shape)
        d = torch.tensor(deviation, dtype=torch.float64).reshape(shape)
        features, z, scores = net((images.double() - m) / d)
    tensors["expected.images"] = images
    tensors["expected.features"] = features
    tensors["expected.embeddings"] = z
    tensors["expected.scores"] = scores
    metadata = {
        "format": "pt",
        "swav4j_version": "1",
        "architecture": architecture,
        "width": str(width),
        "stem": stem,
        "channels": str(channels),
        "hidden": str(hidden),
        "dim": str(dim),
        "prototypes": str(prototypes),
        "temperature": "0.1",
        "mean": ",".join(map(str, mean)),
        "deviation": ",".join(map(str, deviation)),
    }
    save(f"{architecture}-{stem}.safetensors", tensors, metadata)
    published = {"module." + k: v for k, v in tensors.items() if not k.startswith("expected.")}
    print(architecture, stem, features.abs().max().item(), scores[0].tolist())
    return published


def checkpoint(published):
    """Half precision, kernels and matrices of other strides, all in one storage each, nested."""
    half = {}
    for k, v in published.items():
        v = v.half() if v.is_floating_point() else v
        v = v.transpose(0, 1).contiguous().transpose(0, 1) if v.dim() > 1 else v
        where = "module.backbone." if "projection_head" not in k and "prototypes" not in k else "module."
        half[where + k[len("module.") :]] = v
    shared = torch.zeros(20, dtype=torch.float16)
    shared[3:-1] = half["module.backbone.bn1.weight"].repeat_interleave(4)
    half["module.backbone.bn1.weight"] = shared[3:-1][::4]
    return {"epoch": 7, "arch": "resnet20", "best": 0.5, "state_dict": half, "optimizer": {"state": {}}}


grey = fixture("resnet20", 0.25, "small", 1, (12, 15))
torch.save(checkpoint(grey), "resnet20-small.pth.tar", _use_new_zipfile_serialization=False)
fixture("resnet18", 0.0625, "imagenet", 3, (37, 32))
torch.save(fixture("resnet50", 0.03125, "small", 3, (16, 16)), "resnet50-small.pth")
