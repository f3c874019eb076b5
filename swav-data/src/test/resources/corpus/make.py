#!/usr/bin/env python3
"""Makes the corpus: small image files of every kind that is read, and what they must decode to.

Run in this folder on Debian 12 with python3-pil, python3-numpy, imagemagick, webp, libtiff-tools and
libjpeg-turbo-progs. It writes files/, right/ and manifest.tsv; the tests need only those.

Each line of the manifest is: file, expectation, tolerance (of 255), who agrees. The expectation is
a PNG of the right pixels in right/ (8-bit RGB, shared by all files that show the same), or
"refused: " and words of the reason. The right pixels are agreed on by two of: the array that the
file was made from (truth), Pillow, and ImageMagick. Lossless files are held to 1 of 255. Lossy ones
are compared with what the reference decoders give; their tolerance is 1 for JPEG (all decoders use
the same integer transform) and for WebP what TwelveMonkeys' simpler interpolation of colour costs.
"""
import hashlib, io, os, shutil, struct, subprocess, sys, zlib
import numpy as np
from PIL import Image, ImageCms, ImageOps

W, H = 19, 13
for d in ("files", "right"):
    shutil.rmtree(d, ignore_errors=True)
    os.makedirs(d)
manifest = []
MAGICK = "/usr/bin/convert"


# ---- what is shown -------------------------------------------------------------------------------

def scene(w=W, h=H):
    """Smooth, with no symmetry, so that a turned or mirrored copy differs everywhere."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    r = 30 + 200 * x / (w - 1)
    g = 220 - 190 * y / (h - 1)
    b = 60 + 120 * (x + y) / (w + h - 2)
    return np.clip(np.stack([r, g, b], -1).round(), 0, 255).astype(np.uint8)


RGB = scene()
GREY = RGB[..., 0] // 2 + RGB[..., 1] // 2
ALPHA = (np.add.outer(np.arange(H) * 7, np.arange(W) * 9) % 256).astype(np.uint8)
RGB16 = RGB.astype(np.uint16) * 256 + 77
GREY16 = GREY.astype(np.uint16) * 256 + 99


def to8(a, maximum):
    return ((a.astype(np.int64) * 255 * 2 + maximum) // (2 * maximum)).astype(np.uint8)


def rgb(a):
    return a if a.ndim == 3 else np.repeat(a[..., None], 3, -1)


def over_white(a, alpha, maximum=255):
    """To 8 bits over white, by rational numbers."""
    a, al = rgb(a).astype(np.int64), alpha[..., None].astype(np.int64)
    v = a * al + maximum * (maximum - al)
    return ((v * 255 * 2 + maximum * maximum) // (2 * maximum * maximum)).astype(np.uint8)


def upright(a, o):
    """EXIF 2.32, 4.6.4: which side the zeroth row and column are."""
    return {1: a, 2: a[:, ::-1], 3: a[::-1, ::-1], 4: a[::-1], 5: a.swapaxes(0, 1),
            6: np.rot90(a, -1), 7: a[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(a)}[o]


# ---- reference decoders --------------------------------------------------------------------------

def by_pillow(path):
    im = Image.open(path)
    im.load()
    profile = im.info.get("icc_profile")
    im = ImageOps.exif_transpose(im)
    if im.mode in ("I", "I;16", "I;16B", "I;16L"):
        return rgb(to8(np.clip(np.asarray(im).astype(np.int64), 0, 65535), 65535))
    transparent = im.info.get("transparency")
    if profile and len(profile) > 200 and im.mode in ("RGB", "L", "CMYK"):
        im = ImageCms.profileToProfile(
            im, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"),
            outputMode="RGB")
    if im.mode in ("RGBA", "LA", "PA", "La", "RGBa") or (im.mode in ("P", "L", "RGB") and transparent is not None):
        a = np.asarray(im.convert("RGBA"))
        return over_white(a[..., :3], a[..., 3])
    return np.asarray(im.convert("RGB"))


def by_magick(path, profile=False):
    args = [MAGICK, path + "[0]", "-auto-orient"]
    if profile:
        args += ["-profile", "srgb.tmp.icc"]
    args += ["-background", "white", "-alpha", "remove", "-alpha", "off",
             "-type", "TrueColor", "-depth", "8", "ppm:-"]
    out = subprocess.run(args, capture_output=True)
    if out.returncode or not out.stdout:
        raise ValueError(out.stderr.decode()[:100])
    im = Image.open(io.BytesIO(out.stdout))
    return np.asarray(im.convert("RGB"))


def distance(a, b):
    return 999 if a is None or b is None or a.shape != b.shape else int(
        np.abs(a.astype(int) - b.astype(int)).max())


def right(name, truth=None, lossy=0, tolerance=1, profile=False, trust=("Pillow", "ImageMagick")):
    """Adds a file that must be read. lossy: how far the truth may be from what decoders give."""
    path = "files/" + name
    found = {}
    if "Pillow" in trust:
        try:
            found["Pillow"] = by_pillow(path)
        except Exception as e:
            print("  Pillow can't", name, str(e)[:70])
    if "ImageMagick" in trust:
        try:
            found["ImageMagick"] = by_magick(path, profile)
        except Exception as e:
            print("  ImageMagick can't", name, str(e)[:70])
    expected, agreed = None, None
    if truth is not None and not lossy:
        expected = rgb(truth)
        agreed = ["truth"] + [k for k, v in found.items() if distance(expected, v) <= 1]
    elif "Pillow" in found:
        expected = found["Pillow"]
        agreed = ["Pillow"] + (["ImageMagick"] if distance(expected, found.get("ImageMagick")) <= max(1, profile) else [])
        if truth is not None and distance(expected, rgb(truth)) <= lossy:
            agreed.append("truth")
    if agreed is None or len(agreed) < 2:
        far = {k: distance(rgb(truth) if truth is not None else found.get("Pillow"), v) for k, v in found.items()}
        raise SystemExit(f"{name}: no two agree: {agreed} {far}")
    left = {k: distance(expected, v) for k, v in found.items() if k not in agreed}
    if left:
        print("  differs:", name, left, "agreed:", agreed)
    key = hashlib.sha1(repr(expected.shape).encode() + expected.tobytes()).hexdigest()[:10] + ".png"
    if not os.path.exists("right/" + key):
        Image.fromarray(expected).save("right/" + key, optimize=True)
    manifest.append(f"{name}\t{key}\t{tolerance}\t{' '.join(agreed)}")


def refused(name, words):
    manifest.append(f"{name}\trefused: {words}\t\t")


def put(name, data):
    with open("files/" + name, "wb") as f:
        f.write(data)
    return data


def get(name):
    with open("files/" + name, "rb") as f:
        return f.read()


def saved(im, format, **how):
    out = io.BytesIO()
    im.save(out, format, **how)
    return out.getvalue()


def run(*args, data=None):
    out = subprocess.run(args, input=data, capture_output=True)
    if out.returncode:
        raise SystemExit(f"{args}: {out.stderr.decode()}")
    return out.stdout


# ---- metadata ------------------------------------------------------------------------------------

def tiff_orientation(o, order, extra=False):
    e = "<" if order == "II" else ">"
    entries = [(0x112, 3, 1, struct.pack(e + "HH", o, 0))]
    if extra:
        entries.insert(0, (0x10f, 2, 4, b"abc\0"))
        entries.append((0x128, 3, 1, struct.pack(e + "HH", 2, 0)))
    out = order.encode() + struct.pack(e + "HI", 42, 8) + struct.pack(e + "H", len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack(e + "HHI", tag, kind, count) + value
    return out + struct.pack(e + "I", 0)


def icc(gamma=None, primaries=None, grey=False, curve=None):
    """A display profile of version 2: a matrix and a curve, or the curve alone for grey."""
    def s15(v):
        return struct.pack(">i", int(round(v * 65536)))
    trc = b"curv\0\0\0\0" + (struct.pack(">IH", 1, int(round(gamma * 256))) if curve is None
                             else struct.pack(">I", len(curve)) + b"".join(struct.pack(">H", v) for v in curve))
    trc += b"\0" * (-len(trc) % 4)
    d50 = (0.9642, 1.0, 0.8249)
    tags = [(b"desc", b"desc\0\0\0\0" + struct.pack(">I", 5) + b"made\0" + b"\0" * (12 + 67)),
            (b"cprt", b"text\0\0\0\0none"), (b"wtpt", b"XYZ \0\0\0\0" + b"".join(map(s15, d50)))]
    if grey:
        tags.append((b"kTRC", trc))
    else:
        for n, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries):
            tags.append((n, b"XYZ \0\0\0\0" + b"".join(map(s15, c))))
        tags += [(b"rTRC", trc), (b"gTRC", trc), (b"bTRC", trc)]
    table, body, at, seen = b"", b"", 128 + 4 + 12 * len(tags), {}
    for n, data in tags:
        data += b"\0" * (-len(data) % 4)
        if data not in seen:
            seen[data] = at + len(body)
            body += data
        table += n + struct.pack(">II", seen[data], len(data))
    head = struct.pack(">I4sI4s4s4s", 0, b"lcms", 0x02100000, b"mntr", b"GRAY" if grey else b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + b"".join(map(s15, d50))
    head += b"\0" * (128 - len(head))
    whole = head + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))


def srgb_curve(v):
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


CURVE = [int(round(65535 * srgb_curve(i / 255))) for i in range(256)]
PROFILES = {
    "adobe": icc(2.19921875, ADOBE), "p3": icc(primaries=P3, curve=CURVE),
    "srgb": icc(primaries=SRGB, curve=CURVE), "grey18": icc(1.8, grey=True),
    "grey22": icc(2.19921875, grey=True),
}
put("../srgb.tmp.icc", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


# ---- JPEG ----------------------------------------------------------------------------------------

def segment(marker, data):
    return bytes([0xff, marker]) + struct.pack(">H", len(data) + 2) + data


def after_soi(jpeg, *segments):
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def after_jfif(jpeg, *segments):
    at = 4 + struct.unpack(">H", jpeg[4:6])[0]
    return jpeg[:at] + b"".join(segments) + jpeg[at:]


def segments_of(jpeg):
    at = 2
    while True:
        marker, length = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        yield marker, at, at + 2 + length
        at += 2 + length
        if marker == 0xda:
            return


def without(jpeg, marker):
    for m, a, b in segments_of(jpeg):
        if m == marker:
            return jpeg[:a] + jpeg[b:]
    raise SystemExit("no such marker")


def exif(o, order="MM", **how):
    return segment(0xe1, b"Exif\0\0" + tiff_orientation(o, order, **how))


XMP = segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")


def jpegs():
    im, grey = Image.fromarray(RGB), Image.fromarray(GREY)
    ppm = saved(im, "PPM")
    pgm = saved(grey, "PPM")
    plain = saved(im, "JPEG", quality=92, subsampling=0)
    for name, data in {
        "444": plain,
        "422": saved(im, "JPEG", quality=92, subsampling=1),
        "420": saved(im, "JPEG", quality=92, subsampling=2),
        "440": run("cjpeg", "-quality", "92", "-sample", "1x2", data=ppm),
        "411": run("cjpeg", "-quality", "92", "-sample", "4x1", data=ppm),
        "optimised": saved(im, "JPEG", quality=92, optimize=True),
        "progressive": saved(im, "JPEG", quality=92, progressive=True, subsampling=0),
        "progressive-420": saved(im, "JPEG", quality=92, progressive=True, subsampling=2),
        "restart-1": run("cjpeg", "-quality", "92", "-restart", "1", data=ppm),
        "restart-1-block": run("cjpeg", "-quality", "92", "-restart", "1B", data=ppm),
        "progressive-restart": run("cjpeg", "-quality", "92", "-progressive", "-restart", "1", data=ppm),
        "rgb-by-adobe": run("cjpeg", "-quality", "92", "-rgb", data=ppm),
        "grey": saved(grey, "JPEG", quality=92),
        "grey-progressive": saved(grey, "JPEG", quality=92, progressive=True),
        "grey-restart": run("cjpeg", "-quality", "92", "-grayscale", "-restart", "2B", data=pgm),
        "no-jfif": without(plain, 0xe0),
        "comment": after_jfif(plain, segment(0xfe, b"hello")),
        "fill-bytes": plain[:2] + b"\xff\xff\xff" + plain[2:],
        "trailer": plain + b"anything" * 9,
        "two-images": plain + saved(Image.fromarray(255 - RGB), "JPEG"),
        "thumbnail": after_jfif(plain, segment(0xe1, b"Exif\0\0" + tiff_orientation(1, "MM") + saved(grey, "JPEG"))),
        "quality-20": saved(im, "JPEG", quality=20, subsampling=0),
        "one-pixel": saved(Image.fromarray(RGB[:1, :1]), "JPEG"),
        "one-row": saved(Image.fromarray(RGB[:1]), "JPEG", subsampling=0),
    }.items():
        put(f"jpeg-{name}.jpg", data)
        right(f"jpeg-{name}.jpg", lossy=99)
    put("jpeg-arithmetic.jpg", run("cjpeg", "-quality", "92", "-arithmetic", data=ppm))
    right("jpeg-arithmetic.jpg", lossy=99)
    for o in range(1, 9):
        for order in ("II", "MM"):
            put(f"jpeg-exif-{o}{order}.jpg", after_soi(plain, exif(o, order, extra=o % 2 == 0)))
            right(f"jpeg-exif-{o}{order}.jpg")
    put("jpeg-exif-after-xmp.jpg", after_soi(plain, XMP, exif(6, "II")))
    right("jpeg-exif-after-xmp.jpg")
    put("jpeg-exif-before-xmp.jpg", after_jfif(plain, exif(8), XMP))
    right("jpeg-exif-before-xmp.jpg")
    put("jpeg-exif-after-profile.jpg", after_jfif(plain, segment(0xe2, b"ICC_PROFILE\0\1\1" + PROFILES["srgb"]), exif(6)))
    right("jpeg-exif-after-profile.jpg")
    put("jpeg-exif-nonsense.jpg", after_jfif(plain, exif(9)))
    right("jpeg-exif-nonsense.jpg")
    put("jpeg-exif-6-420-grey.jpg", after_jfif(saved(grey, "JPEG", quality=92), exif(6)))
    right("jpeg-exif-6-420-grey.jpg")
    for name in ("adobe", "p3", "srgb"):
        put(f"jpeg-profile-{name}.jpg", saved(im, "JPEG", quality=95, subsampling=0, icc_profile=PROFILES[name]))
        right(f"jpeg-profile-{name}.jpg", profile=2, tolerance=2)
    for name in ("grey18", "grey22"):
        put(f"jpeg-profile-{name}.jpg", saved(grey, "JPEG", quality=95, icc_profile=PROFILES[name]))
        right(f"jpeg-profile-{name}.jpg", profile=2, tolerance=2)
    parts = PROFILES["adobe"]
    put("jpeg-profile-in-parts.jpg", after_jfif(plain, segment(0xe2, b"ICC_PROFILE\0\1\2" + parts[:300]), segment(0xe2, b"ICC_PROFILE\0\2\2" + parts[300:])))
    right("jpeg-profile-in-parts.jpg", profile=2, tolerance=2)
    put("jpeg-profile-broken.jpg", after_jfif(plain, segment(0xe2, b"ICC_PROFILE\0\1\1" + b"x" * 50)))
    right("jpeg-profile-broken.jpg")
    inks()
    broken(plain, im)


def inks():
    """Pillow takes all components as inverted, as Adobe writes them."""
    cmyk = ink()
    adobe = saved(Image.fromarray(cmyk, "CMYK"), "JPEG", quality=97, subsampling=0)
    put("jpeg-cmyk-adobe.jpg", adobe)
    right("jpeg-cmyk-adobe.jpg")
    put("jpeg-cmyk-adobe-exif-6.jpg", after_soi(adobe, exif(6)))
    right("jpeg-cmyk-adobe-exif-6.jpg")
    put("jpeg-cmyk-adobe-progressive.jpg", saved(Image.fromarray(cmyk, "CMYK"), "JPEG", quality=97, progressive=True))
    right("jpeg-cmyk-adobe-progressive.jpg")
    # Without the marker the values are ink as they are, for which Pillow must invert once more.
    for name, how in (("", {}), ("-progressive", {"progressive": True})):
        plain = without(saved(Image.fromarray(255 - cmyk, "CMYK"), "JPEG", quality=97, subsampling=0, **how), 0xee)
        put(f"jpeg-cmyk-no-adobe{name}.jpg", plain)
        values = 255 - np.asarray(Image.open(io.BytesIO(plain))).astype(int)
        given(f"jpeg-cmyk-no-adobe{name}.jpg", ink_shown(values), ink_shown(cmyk), 9)
    # YCCK: the three inks' complement as YCbCr, and Adobe's transform 2
    complement = np.asarray(Image.fromarray(cmyk[..., :3]).convert("YCbCr"))
    coded = np.dstack([complement, cmyk[..., 3]])
    ycck = saved(Image.fromarray(255 - np.dstack([255 - c for c in np.moveaxis(coded, -1, 0)]), "CMYK"), "JPEG", quality=97, subsampling=0)
    at = ycck.index(b"Adobe") + 11
    put("jpeg-ycck.jpg", ycck[:at] + b"\2" + ycck[at + 1:])
    right("jpeg-ycck.jpg", tolerance=2)


def ink():
    """255 - colour, with some black taken out."""
    k = (255 - RGB.max(-1)) // 2
    return np.dstack([255 - RGB - k[..., None], k]).astype(np.uint8)


def ink_shown(cmyk):
    white = 255 - cmyk[..., 3:].astype(int)
    return (((255 - cmyk[..., :3].astype(int)) * white + 127) // 255).astype(np.uint8)


def given(name, expected, truth, lossy):
    """As right, of pixels worked out here and near to what the file was made from."""
    if distance(expected, rgb(truth)) > lossy:
        raise SystemExit(f"{name}: {distance(expected, rgb(truth))} from the truth")
    key = hashlib.sha1(repr(expected.shape).encode() + expected.tobytes()).hexdigest()[:10] + ".png"
    Image.fromarray(expected).save("right/" + key, optimize=True)
    manifest.append(f"{name}\t{key}\t1\tPillow truth")


def frame_at(jpeg):
    return next(a for m, a, b in segments_of(jpeg) if 0xc0 <= m <= 0xcf and m not in (0xc4, 0xc8, 0xcc))


def broken(plain, im):
    rng = np.random.default_rng(1)
    noisy = Image.fromarray(np.clip(scene(64, 48).astype(int) + rng.integers(-30, 30, (48, 64, 3)), 0, 255).astype(np.uint8))
    for kind, how in {"baseline": {}, "optimised": {"optimize": True}, "progressive": {"progressive": True},
                      "420": {"subsampling": 2}}.items():
        whole = saved(noisy, "JPEG", **{"quality": 90, "subsampling": 0, **how})
        start = list(segments_of(whole))[-1][2]
        data = len(whole) - 2 - start
        for cut in (25, 60, 97):
            put(f"jpeg-cut-{cut}-{kind}.jpg", whole[:start + data * cut // 100] + b"\xff\xd9")
            refused(f"jpeg-cut-{cut}-{kind}.jpg", "JPEG")
        hole = start + data * 40 // 100
        put(f"jpeg-hole-{kind}.jpg", whole[:hole] + bytes(200) + whole[hole + 200:])
        refused(f"jpeg-hole-{kind}.jpg", "broken JPEG")
        put(f"jpeg-twice-{kind}.jpg", whole[:hole] + whole[hole - 100:])
        refused(f"jpeg-twice-{kind}.jpg", "broken JPEG")
        put(f"jpeg-lost-{kind}.jpg", whole[:hole] + whole[hole + 150:])
        refused(f"jpeg-lost-{kind}.jpg", "JPEG")
    grey = saved(noisy.convert("L"), "JPEG", quality=90)
    start = list(segments_of(grey))[-1][2]
    put("jpeg-cut-70-grey.jpg", grey[:start + (len(grey) - start) * 7 // 10] + b"\xff\xd9")
    refused("jpeg-cut-70-grey.jpg", "JPEG")
    restart = run("cjpeg", "-quality", "90", "-restart", "1", data=saved(noisy, "PPM"))
    start = list(segments_of(restart))[-1][2]
    marker = restart.index(b"\xff\xd0", start)
    put("jpeg-restart-lost.jpg", restart[:marker] + restart[restart.index(b"\xff\xd1", marker):])
    refused("jpeg-restart-lost.jpg", "broken JPEG")
    at = frame_at(plain)
    put("jpeg-12-bit.jpg", plain[:at + 4] + b"\x0c" + plain[at + 5:])
    refused("jpeg-12-bit.jpg", "JPEG of 12 bits is not supported")
    put("jpeg-lossless.jpg", plain[:at + 1] + b"\xc3" + plain[at + 2:])
    refused("jpeg-lossless.jpg", "lossless JPEG is not supported")
    put("jpeg-hierarchical.jpg", plain[:at + 1] + b"\xc5" + plain[at + 2:])
    refused("jpeg-hierarchical.jpg", "hierarchical JPEG is not supported")
    put("jpeg-two-components.jpg", plain[:at + 9] + b"\2" + plain[at + 10:])
    refused("jpeg-two-components.jpg", "JPEG of 2 components is not supported")
    put("jpeg-bomb.jpg", plain[:at + 5] + b"\xff\xff\xff\xff" + plain[at + 9:])
    refused("jpeg-bomb.jpg", "too large: 65535x65535")
    put("jpeg-no-end.jpg", plain[:-2])
    refused("jpeg-no-end.jpg", "truncated JPEG")
    put("jpeg-no-tables.jpg", without(plain, 0xdb))
    refused("jpeg-no-tables.jpg", "broken JPEG")


# ---- PNG -----------------------------------------------------------------------------------------

def chunk(kind, data, damage=0):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ damage)


def packed(rows, bits):
    """Samples [h, w, c] as PNG and Netpbm pack them, rows padded to bytes."""
    h, w, c = rows.shape
    if bits == 16:
        return [rows[y].astype(">u2").tobytes() for y in range(h)]
    if bits == 8:
        return [rows[y].astype(np.uint8).tobytes() for y in range(h)]
    out = []
    for y in range(h):
        bitrow = "".join(format(int(v), f"0{bits}b") for v in rows[y].reshape(-1))
        bitrow += "0" * (-len(bitrow) % 8)
        out.append(bytes(int(bitrow[i:i + 8], 2) for i in range(0, len(bitrow), 8)))
    return out


def png(samples, bits, kind, before=(), interlaced=False, after=()):
    a = samples[..., None] if samples.ndim == 2 else samples
    h, w = a.shape[:2]
    passes = [(0, 0, 1, 1)] if not interlaced else [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    raw = b""
    for x, y, dx, dy in passes:
        part = a[y::dy, x::dx]
        if part.size:
            raw += b"".join(b"\0" + row for row in packed(part, bits))
    head = struct.pack(">IIBBBBB", w, h, bits, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(before)
            + chunk(b"IDAT", zlib.compress(raw, 9)) + b"".join(after) + chunk(b"IEND", b""))


def pngs():
    kinds = {}
    for bits in (1, 2, 4, 8, 16):
        maximum = (1 << bits) - 1
        values = GREY16 if bits == 16 else (GREY >> (8 - bits))
        key = int(values[6, 7])
        kinds[f"grey{bits}"] = (values, bits, 0, [], to8(values, maximum))
        trns = chunk(b"tRNS", struct.pack(">H", key))
        alpha = np.where(values == key, 0, maximum)
        kinds[f"grey{bits}-transparent"] = (values, bits, 0, [trns], over_white(values, alpha, maximum))
        if bits <= 8:
            n = min(1 << bits, 256)
            palette = np.stack([(np.arange(n) * 37 + 20) % 256, (np.arange(n) * 91 + 5) % 256, 255 - np.arange(n)], -1).astype(np.uint8)
            plte = chunk(b"PLTE", palette.tobytes())
            kinds[f"palette{bits}"] = (values, bits, 3, [plte], palette[values])
            opacity = ((np.arange(n) * 50) % 256).astype(np.uint8)
            opacity[n // 2 + 1:] = 255
            trns = chunk(b"tRNS", opacity[:n // 2 + 1].tobytes())
            kinds[f"palette{bits}-transparent"] = (values, bits, 3, [plte, trns], over_white(palette[values], opacity[values]))
    for bits, colour, grey in ((8, RGB, GREY), (16, RGB16, GREY16)):
        maximum = (1 << bits) - 1
        al = ALPHA.astype(np.uint32) * (257 if bits == 16 else 1)
        kinds[f"rgb{bits}"] = (colour, bits, 2, [], to8(colour, maximum))
        key = colour[4, 5]
        alpha = np.where((colour == key).all(-1), 0, maximum)
        kinds[f"rgb{bits}-transparent"] = (colour, bits, 2, [chunk(b"tRNS", struct.pack(">3H", *map(int, key)))], over_white(colour, alpha, maximum))
        kinds[f"rgba{bits}"] = (np.dstack([colour, al]), bits, 6, [], over_white(colour, al, maximum))
        kinds[f"greyalpha{bits}"] = (np.dstack([grey, al]), bits, 4, [], over_white(grey, al, maximum))
    for name, (a, bits, kind, before, truth) in kinds.items():
        for interlaced in (False, True):
            file = f"png-{name}{'-interlaced' if interlaced else ''}.png"
            put(file, png(a, bits, kind, before, interlaced))
            right(file, truth)
    for o in range(1, 9):
        order = "II" if o % 2 else "MM"
        put(f"png-exif-{o}{order}.png", png(RGB, 8, 2, [chunk(b"eXIf", tiff_orientation(o, order))]))
        right(f"png-exif-{o}{order}.png", upright(RGB, o))
    put("png-exif-6II.png", png(RGB, 8, 2, after=[chunk(b"eXIf", tiff_orientation(6, "II"))]))
    right("png-exif-6II.png", upright(RGB, 6))
    for name in ("adobe", "p3", "srgb"):
        put(f"png-profile-{name}.png", png(RGB, 8, 2, [chunk(b"iCCP", b"made\0\0" + zlib.compress(PROFILES[name]))]))
        right(f"png-profile-{name}.png", lossy=99, profile=2, tolerance=2)
    put("png-profile-grey18.png", png(GREY, 8, 0, [chunk(b"iCCP", b"made\0\0" + zlib.compress(PROFILES["grey18"]))]))
    right("png-profile-grey18.png", lossy=99, profile=2, tolerance=2)
    put("png-profile-broken.png", png(RGB, 8, 2, [chunk(b"iCCP", b"made\0\0nothing")]))
    right("png-profile-broken.png", RGB)
    put("png-profile-under-srgb.png", png(RGB, 8, 2, [chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 45455))]))
    right("png-profile-under-srgb.png", RGB)
    put("png-gamma-ignored.png", png(RGB, 8, 2, [chunk(b"gAMA", struct.pack(">I", 100000))]))
    right("png-gamma-ignored.png", RGB)
    put("png-cicp-srgb.png", png(RGB, 8, 2, [chunk(b"cICP", bytes([1, 13, 0, 1]))]))
    right("png-cicp-srgb.png", RGB)
    put("png-cicp-pq.png", png(RGB16, 16, 2, [chunk(b"cICP", bytes([9, 16, 0, 1]))]))
    refused("png-cicp-pq.png", "cICP with primaries 9 and transfer 16")
    put("png-unknown-ancillary.png", png(RGB, 8, 2, [chunk(b"abCd", b"x"), chunk(b"tEXt", b"a\0b", damage=1)]))
    right("png-unknown-ancillary.png", RGB, trust=("ImageMagick",))
    put("png-many-idat.png", png(RGB, 8, 2).replace(*split_idat(png(RGB, 8, 2))))
    right("png-many-idat.png", RGB)
    whole = png(RGB, 8, 2)
    put("png-truncated.png", whole[:-40])
    refused("png-truncated.png", "truncated PNG")
    put("png-no-end.png", whole[:-12])
    refused("png-no-end.png", "truncated PNG")
    bad = bytearray(whole)
    bad[60] ^= 1
    put("png-checksum.png", bytes(bad))
    refused("png-checksum.png", "broken PNG: wrong checksum in chunk IDAT")
    head = struct.pack(">IIBBBBB", 50000, 50000, 8, 2, 0, 0, 0)
    put("png-bomb.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b""))
    refused("png-bomb.png", "too large: 50000x50000")
    short = png(RGB[:5], 8, 2)
    put("png-rows-missing.png", short.replace(chunk(b"IHDR", struct.pack(">IIBBBBB", W, 5, 8, 2, 0, 0, 0)), chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0))))
    refused("png-rows-missing.png", "PNG")
    put("png-no-data.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""))
    refused("png-no-data.png", "broken PNG: no image data")


def split_idat(whole):
    at = whole.index(b"IDAT") - 4
    n = struct.unpack(">I", whole[at:at + 4])[0]
    data = whole[at + 8:at + 8 + n]
    return whole[at:at + 12 + n], chunk(b"IDAT", data[:9]) + chunk(b"IDAT", b"") + chunk(b"IDAT", data[9:])


# ---- BMP -----------------------------------------------------------------------------------------

def bmp(rows, bits, header=40, compression=0, masks=(), palette=None, top_down=False, w=W, h=H, tail=b"", raw=None):
    if raw is None:
        raw = b"".join(r + b"\0" * (-len(r) % 4) for r in (rows if top_down else rows[::-1]))
    if header == 12:
        info = struct.pack("<IHHHH", 12, w, h, 1, bits)
        colours = b"" if palette is None else b"".join(bytes(p[::-1]) for p in palette)
    else:
        used = 0 if palette is None else len(palette)
        info = struct.pack("<IiiHHIIiiII", header, w, -h if top_down else h, 1, bits, compression, len(raw), 2835, 2835, used, 0)
        m = b"".join(struct.pack("<I", v) for v in masks)
        info = (info + m).ljust(max(header, len(info) + len(m)), b"\0") + tail
        colours = b"" if palette is None else b"".join(bytes(p[::-1]) + b"\0" for p in palette)
    start = 14 + len(info) + len(colours)
    return b"BM" + struct.pack("<IHHI", start + len(raw), 0, 0, start) + info + colours + raw


def fields(colour, alpha, masks, bits):
    """Colours rounded down into the bits of each mask, and what those bits stand for."""
    pixel = np.zeros(colour.shape[:2], np.uint64)
    shown = []
    for c, mask in enumerate(masks):
        if mask == 0:
            shown.append(np.full(colour.shape[:2], 255))
            continue
        shift = (mask & -mask).bit_length() - 1
        maximum = mask >> shift
        v = (colour[..., c] if c < 3 else alpha).astype(np.uint64) * maximum // 255
        pixel |= v << np.uint64(shift)
        shown.append(to8(v, maximum))
    rows = [pixel[y].astype("<u2" if bits == 16 else "<u4").tobytes() for y in range(len(pixel))]
    return rows, np.dstack(shown[:3]).astype(np.uint8), (shown[3] if len(masks) > 3 else None)


def bmps():
    white = RGB.copy()
    white[0, 0] = 255
    bgr = [white[y, :, ::-1].tobytes() for y in range(H)]
    for name, data in {"24": bmp(bgr, 24), "24-top-down": bmp(bgr, 24, top_down=True), "24-core": bmp(bgr, 24, header=12),
                       "24-v4": bmp(bgr, 24, header=108), "24-v5": bmp(bgr, 24, header=124)}.items():
        put(f"bmp-{name}.bmp", data)
        right(f"bmp-{name}.bmp", white)
    bgrx = [np.dstack([white[..., ::-1], ALPHA])[y].tobytes() for y in range(H)]
    put("bmp-32.bmp", bmp(bgrx, 32))
    right("bmp-32.bmp", white)
    for bits in (1, 4, 8):
        n = 1 << bits
        palette = [((i * 37 + 20) % 256, (i * 91 + 5) % 256, 255 - i) for i in range(n)]
        values = GREY >> (8 - bits)
        truth = np.array(palette, np.uint8)[values]
        rows = packed(values[..., None], bits)
        put(f"bmp-palette{bits}.bmp", bmp(rows, bits, palette=palette))
        right(f"bmp-palette{bits}.bmp", truth)
        put(f"bmp-palette{bits}-core.bmp", bmp(rows, bits, palette=palette, header=12))
        right(f"bmp-palette{bits}-core.bmp", truth)
    few = [(255, 0, 0), (0, 255, 0), (10, 20, 30)]
    values = GREY % 3
    put("bmp-palette-of-three.bmp", bmp(packed(values[..., None], 8), 8, palette=few))
    right("bmp-palette-of-three.bmp", np.array(few, np.uint8)[values])
    masks = {
        "555": (16, 0, (0x7c00, 0x3e0, 0x1f), 40), "555-masks": (16, 3, (0x7c00, 0x3e0, 0x1f), 40),
        "565": (16, 3, (0xf800, 0x7e0, 0x1f), 40), "565-v5": (16, 3, (0xf800, 0x7e0, 0x1f, 0), 124),
        "bgr565": (16, 3, (0x1f, 0x7e0, 0xf800), 40), "4444": (16, 3, (0xf00, 0xf0, 0xf, 0xf000), 56),
        "1555": (16, 3, (0x7c00, 0x3e0, 0x1f, 0x8000), 108),
        "rgbx": (32, 3, (0xff, 0xff00, 0xff0000), 40), "bgrx": (32, 3, (0xff0000, 0xff00, 0xff), 40),
        "xrgb": (32, 3, (0xff00, 0xff0000, 0xff000000), 40), "rgbx-v3": (32, 3, (0xff, 0xff00, 0xff0000), 52),
        "rgba-v4": (32, 3, (0xff, 0xff00, 0xff0000, 0xff000000), 108), "bgra-v5": (32, 3, (0xff0000, 0xff00, 0xff, 0xff000000), 124),
        "argb-v5": (32, 3, (0xff00, 0xff0000, 0xff000000, 0xff), 124), "abgr-56": (32, 3, (0xff000000, 0xff0000, 0xff00, 0xff), 56),
        "10-bit": (32, 3, (0x3ff00000, 0xffc00, 0x3ff), 40), "alphabitfields": (32, 6, (0xff0000, 0xff00, 0xff, 0xff000000), 40),
    }
    for name, (bits, compression, m, header) in masks.items():
        rows, shown, alpha = fields(white, ALPHA, m, bits)
        truth = shown if alpha is None else over_white(shown, alpha)
        put(f"bmp-{name}.bmp", bmp(rows, bits, header, compression, () if compression == 0 else m))
        try:
            right(f"bmp-{name}.bmp", truth)
        except SystemExit as e:
            # Neither decoder knows these masks: what the header says is all there is to go by.
            print("  ", e)
            given(f"bmp-{name}.bmp", truth, white if alpha is None else over_white(white, alpha), 17)
            manifest[-1] = manifest[-1].replace("Pillow truth", "truth")
    palette = [((i * 37 + 20) % 256, (i * 91 + 5) % 256, 255 - i) for i in range(256)]
    v = (np.arange(W)[None] // 4 + np.arange(H)[:, None]).astype(np.uint8)
    raw = b""
    for y in range(H - 1, -1, -1):
        x = 0
        while x < W:
            n = min(4, W - x)
            raw += bytes([n, v[y, x]]) if y % 3 or n < 3 else bytes([0, n]) + v[y, x:x + n].tobytes() + b"\0" * (n % 2)
            x += n
        raw += b"\0\0"
    # runs of four that start at multiples of four hold one value, so both forms say the same
    raw = raw[:-2] + b"\0\1"
    put("bmp-rle8.bmp", bmp(None, 8, compression=1, palette=palette, raw=raw))
    right("bmp-rle8.bmp", np.array(palette, np.uint8)[v])
    put("bmp-rle8-truncated.bmp", bmp(None, 8, compression=1, palette=palette, raw=raw[:40]))
    refused("bmp-rle8-truncated.bmp", "truncated BMP")
    v4 = np.zeros((H, W), np.uint8)
    raw = b""
    for y in range(H - 1, -1, -1):
        a, b = y % 16, (y * 5 + 3) % 16
        v4[y] = np.where(np.arange(W) % 2, b, a)
        raw += bytes([W, a << 4 | b]) + b"\0\0"
    raw = raw[:-2] + b"\0\1"
    put("bmp-rle4.bmp", bmp(None, 4, compression=2, palette=palette[:16], raw=raw))
    right("bmp-rle4.bmp", np.array(palette[:16], np.uint8)[v4])
    put("bmp-truncated.bmp", bmp(bgr, 24)[:-1])
    refused("bmp-truncated.bmp", "truncated BMP")
    put("bmp-jpeg-inside.bmp", bmp(bgr, 24, compression=4))
    refused("bmp-jpeg-inside.bmp", "unsupported BMP")
    put("bmp-bomb.bmp", bmp(None, 8, compression=1, palette=palette, raw=b"\0\1", w=60000, h=60000))
    refused("bmp-bomb.bmp", "too large: 60000x60000")


# ---- Netpbm --------------------------------------------------------------------------------------

def pnms():
    for maximum in (1, 2, 15, 100, 255, 256, 1023, 4095, 65535):
        for kind, a in (("pgm", GREY), ("ppm", RGB)):
            v = (a.astype(np.int64) * maximum // 255)
            head = f"{maximum}\n".encode()
            raw = v.astype(">u2" if maximum > 255 else np.uint8).tobytes()
            file = f"pnm-{kind}-{maximum}.{kind}"
            put(file, (b"P5" if kind == "pgm" else b"P6") + f"\n# made\n{W} {H}\n".encode() + head + raw)
            right(file, to8(v, maximum))
            if maximum in (15, 255, 4095):
                lines = "\n".join(" ".join(map(str, row.reshape(-1))) for row in v)
                file = f"pnm-plain-{kind}-{maximum}.{kind}"
                put(file, (b"P2" if kind == "pgm" else b"P3") + f"\n{W} {H} # size\n{maximum}\n{lines}\n".encode())
                right(file, to8(v, maximum))
    bits = (GREY > 128).astype(np.uint8)
    put("pnm-pbm.pbm", f"P4\n{W} {H}\n".encode() + b"".join(packed(bits[..., None], 1)))
    right("pnm-pbm.pbm", (1 - bits) * 255)
    put("pnm-plain-pbm.pbm", f"P1\n# dense\n{W} {H}\n".encode() + b"\n".join(bytes(48 + b for b in row) for row in bits))
    right("pnm-plain-pbm.pbm", (1 - bits) * 255)
    put("pnm-truncated.ppm", get("pnm-ppm-255.ppm")[:-1])
    refused("pnm-truncated.ppm", "truncated PBM/PGM/PPM")
    put("pnm-plain-truncated.pgm", get("pnm-plain-pgm-255.pgm")[:-60])
    refused("pnm-plain-truncated.pgm", "truncated PGM/PPM")
    put("pnm-maximum-0.pgm", b"P5\n1 1\n0\n\0")
    refused("pnm-maximum-0.pgm", "maximum 0")
    put("pnm-bomb.pgm", b"P5\n90000 90000\n255\n\0")
    refused("pnm-bomb.pgm", "truncated PBM/PGM/PPM")


# ---- WebP ----------------------------------------------------------------------------------------

def riff(*chunks):
    body = b"".join(k + struct.pack("<I", len(d)) + d + b"\0" * (len(d) % 2) for k, d in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp_chunks(data):
    at, out = 12, []
    while at < len(data):
        n = struct.unpack("<I", data[at + 4:at + 8])[0]
        out.append((data[at:at + 4], data[at + 8:at + 8 + n]))
        at += 8 + n + n % 2
    return out


def vp8x(flags, w, h):
    return b"VP8X", bytes([flags, 0, 0, 0]) + struct.pack("<I", w - 1)[:3] + struct.pack("<I", h - 1)[:3]


LOSSY_WEBP = 1


def webps():
    im, rgba = Image.fromarray(RGB), Image.fromarray(np.dstack([RGB, ALPHA]))
    shown = over_white(RGB, ALPHA)
    lossless = saved(im, "WEBP", lossless=True)
    put("webp-lossless.webp", lossless)
    right("webp-lossless.webp", RGB)
    put("webp-lossless-alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True))
    right("webp-lossless-alpha.webp", shown)
    small = Image.fromarray((scene() // 64 * 64).astype(np.uint8))
    put("webp-lossless-palette.webp", saved(small, "WEBP", lossless=True, quality=100, method=6))
    right("webp-lossless-palette.webp", np.asarray(small))
    noise = np.random.default_rng(2).integers(0, 256, (H, W, 3)).astype(np.uint8)
    put("webp-lossless-noise.webp", saved(Image.fromarray(noise), "WEBP", lossless=True))
    right("webp-lossless-noise.webp", noise)
    for q in (30, 75, 95):
        put(f"webp-lossy-{q}.webp", saved(im, "WEBP", quality=q))
        right(f"webp-lossy-{q}.webp", tolerance=LOSSY_WEBP)
    put("webp-lossy-alpha.webp", saved(rgba, "WEBP", quality=90, exact=True))
    right("webp-lossy-alpha.webp", tolerance=LOSSY_WEBP)
    wide = Image.fromarray(scene(40, 33))
    put("webp-lossy-40x33.webp", saved(wide, "WEBP", quality=80))
    right("webp-lossy-40x33.webp", tolerance=LOSSY_WEBP)
    put("webp-simple-filter.webp", run("cwebp", "-quiet", "-nostrong", "-f", "60", "-q", "60", "-o", "-", "--", "-", data=saved(wide, "PPM")))
    right("webp-simple-filter.webp", tolerance=LOSSY_WEBP)
    for o in range(1, 9):
        for order in ("II", "MM"):
            put(f"webp-exif-{o}{order}.webp", riff(vp8x(0x08, W, H), *webp_chunks(lossless), (b"EXIF", tiff_orientation(o, order))))
            right(f"webp-exif-{o}{order}.webp", upright(RGB, o))
    put("webp-exif-prefixed.webp", riff(vp8x(0x08, W, H), *webp_chunks(lossless), (b"EXIF", b"Exif\0\0" + tiff_orientation(6, "II"))))
    right("webp-exif-prefixed.webp", upright(RGB, 6))
    for name in ("adobe", "p3", "srgb"):
        put(f"webp-profile-{name}.webp", riff(vp8x(0x20, W, H), (b"ICCP", PROFILES[name]), *webp_chunks(lossless)))
        right(f"webp-profile-{name}.webp", lossy=99, profile=2, tolerance=2)
    other = Image.fromarray(255 - RGB)
    put("webp-animated.webp", saved(im, "WEBP", save_all=True, append_images=[other], lossless=True, duration=100))
    right("webp-animated.webp", RGB)
    frame = RGB[3:9, 4:15]
    canvas = np.full((H, W, 3), 255, np.uint8)
    canvas[2:8, 6:17] = frame
    image = webp_chunks(saved(Image.fromarray(frame), "WEBP", lossless=True))
    data = struct.pack("<I", 3)[:3] + struct.pack("<I", 1)[:3] + struct.pack("<I", 10)[:3] + struct.pack("<I", 5)[:3] + b"\x64\0\0\0" + riff(*image)[12:]
    put("webp-animated-offset.webp", riff(vp8x(0x12, W, H), (b"ANIM", bytes(6)), (b"ANMF", data), (b"ANMF", data)))
    right("webp-animated-offset.webp", canvas)
    put("webp-truncated.webp", lossless[:-9])
    refused("webp-truncated.webp", "truncated WebP")
    put("webp-no-data.webp", riff(vp8x(0, W, H)))
    refused("webp-no-data.webp", "broken WebP: no image data")
    put("webp-bomb.webp", riff(vp8x(0, 16383, 16383), (b"VP8L", bytes([0x2f]) + struct.pack("<I", 16382 | 16382 << 14) + bytes(8))))
    refused("webp-bomb.webp", "too large: 16383x16383")


# ---- TIFF ----------------------------------------------------------------------------------------

def tiff(samples, bits, order="II", photometric=2, extra=(), tags=(), rows_per_strip=5):
    """Uncompressed strips. tags: (tag, type, values)."""
    a = samples[..., None] if samples.ndim == 2 else samples
    h, w, c = a.shape
    e = "<" if order == "II" else ">"
    lines = packed(a, bits) if bits != 16 else [a[y].astype(e + "u2").tobytes() for y in range(h)]
    strips = [b"".join(lines[y:y + rows_per_strip]) for y in range(0, h, rows_per_strip)]
    offsets, body = [], b""
    for s in strips:
        offsets.append(8 + len(body))
        body += s + b"\0" * (len(s) % 2)
    entries = [(256, 3, [w]), (257, 3, [h]), (258, 3, [bits] * c), (259, 3, [1]), (262, 3, [photometric]),
               (273, 4, offsets), (277, 3, [c]), (278, 3, [rows_per_strip]), (279, 4, [len(s) for s in strips])]
    if extra:
        entries.append((338, 3, list(extra)))
    entries = sorted(entries + list(tags))
    at = 8 + len(body)
    directory, far = struct.pack(e + "H", len(entries)), b""
    for tag, kind, values in entries:
        data = bytes(values) if kind == 7 else b"".join(struct.pack(e + {3: "H", 4: "I"}[kind], v) for v in values)
        field = data.ljust(4, b"\0")
        if len(data) > 4:
            field = struct.pack(e + "I", at + 2 + 12 * len(entries) + 4 + len(far))
            far += data + b"\0" * (len(data) % 2)
        directory += struct.pack(e + "HHI", tag, kind, len(values)) + field
    return order.encode() + struct.pack(e + "HI", 42, at) + body + directory + struct.pack(e + "I", 0) + far


def tiffs():
    im, grey = Image.fromarray(RGB), Image.fromarray(GREY)
    for order in ("II", "MM"):
        for name, (data, truth) in {
            "rgb8": (tiff(RGB, 8, order), RGB), "rgb16": (tiff(RGB16, 16, order), to8(RGB16, 65535)),
            "grey8": (tiff(GREY, 8, order, 1), GREY), "grey16": (tiff(GREY16, 16, order, 1), to8(GREY16, 65535)),
            "white-is-0": (tiff(255 - GREY, 8, order, 0), GREY), "grey4": (tiff(GREY >> 4, 4, order, 1), to8(GREY >> 4, 15)),
            "bits": (tiff(GREY >> 7, 1, order, 1), (GREY >> 7) * 255), "bits-white-is-0": (tiff(1 - (GREY >> 7), 1, order, 0), (GREY >> 7) * 255),
            "rgba": (tiff(np.dstack([RGB, ALPHA]), 8, order, extra=[2]), over_white(RGB, ALPHA)),
            "greyalpha": (tiff(np.dstack([GREY, ALPHA]), 8, order, 1, extra=[2]), over_white(GREY, ALPHA)),
            "rgba16": (tiff(np.dstack([RGB16, ALPHA.astype(np.uint16) * 257]), 16, order, extra=[2]), over_white(RGB16, ALPHA.astype(int) * 257, 65535)),
        }.items():
            put(f"tiff-{name}-{order}.tif", data)
            right(f"tiff-{name}-{order}.tif", truth)
        for o in range(1, 9):
            put(f"tiff-orientation-{o}{order}.tif", tiff(RGB, 8, order, tags=[(274, 3, [o])]))
            right(f"tiff-orientation-{o}{order}.tif", upright(RGB, o))
    white16 = tiff(65535 - GREY16, 16, "II", 0)
    put("tiff-white-is-0-16.tif", white16)
    right("tiff-white-is-0-16.tif", to8(GREY16, 65535))
    pre = ((RGB.astype(int) * ALPHA[..., None] + 127) // 255).astype(np.uint8)
    shown = (pre.astype(int) + 255 - ALPHA[..., None]).astype(np.uint8)
    put("tiff-premultiplied.tif", tiff(np.dstack([pre, ALPHA]), 8, extra=[1]))
    right("tiff-premultiplied.tif", shown)
    put("tiff-extra-unspecified.tif", tiff(np.dstack([RGB, ALPHA]), 8, extra=[0]))
    right("tiff-extra-unspecified.tif", RGB)
    palette = np.stack([(np.arange(256) * 37 + 20) % 256, (np.arange(256) * 91 + 5) % 256, 255 - np.arange(256)], 0)
    colormap = [(320, 3, [int(v) * 257 for v in palette.reshape(-1)])]
    put("tiff-palette.tif", tiff(GREY, 8, photometric=3, tags=colormap))
    right("tiff-palette.tif", palette.T.astype(np.uint8)[GREY])
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "tiff_deflate"):
        put(f"tiff-{compression}.tif", saved(im, "TIFF", compression=compression))
        right(f"tiff-{compression}.tif", RGB)
    put("tiff-group4.tif", saved(Image.fromarray(GREY).point(lambda v: 255 * (v > 128)).convert("1"), "TIFF", compression="group4"))
    right("tiff-group4.tif", ((GREY > 128) * 255).astype(np.uint8))
    put("tiff-group3.tif", saved(Image.fromarray(GREY).point(lambda v: 255 * (v > 128)).convert("1"), "TIFF", compression="group3"))
    right("tiff-group3.tif", ((GREY > 128) * 255).astype(np.uint8))
    big = Image.fromarray(scene(40, 33))
    source = "tmp.tif"
    for name, args in {
        "tiled": ["-t", "-w", "16", "-l", "16"], "tiled-lzw-predictor": ["-t", "-w", "16", "-l", "16", "-c", "lzw:2"],
        "planar": ["-p", "separate"], "planar-lzw-big": ["-p", "separate", "-c", "lzw", "-B"],
        "planar-tiled": ["-p", "separate", "-t", "-w", "16", "-l", "16", "-c", "zip"],
        "big-endian-zip-predictor": ["-B", "-c", "zip:2"], "one-strip": ["-r", "33"], "lsb-first": ["-f", "lsb2msb", "-c", "lzw"],
    }.items():
        big.save(source)
        run("tiffcp", *args, source, f"files/tiff-{name}.tif")
        right(f"tiff-{name}.tif", scene(40, 33))
    wide16 = (scene(40, 33).astype(np.uint16) * 257)
    with open(source, "wb") as f:
        f.write(tiff(wide16, 16))
    for name, args in {"16-lzw-predictor": ["-c", "lzw:2"], "16-tiled-big": ["-B", "-t", "-w", "16", "-l", "16", "-c", "zip:2"]}.items():
        run("tiffcp", *args, source, f"files/tiff-{name}.tif")
        right(f"tiff-{name}.tif", scene(40, 33))
    big.save(source)
    for name, args in {"jpeg": ["-c", "jpeg:95", "-r", "16"], "jpeg-rgb": ["-c", "jpeg:r:95", "-r", "16"], "jpeg-tiled": ["-c", "jpeg:95", "-t", "-w", "16", "-l", "16"]}.items():
        run("tiffcp", *args, source, f"files/tiff-{name}.tif")
        right(f"tiff-{name}.tif", tolerance=3)
    os.remove(source)
    put("tiff-jpeg-grey.tif", saved(grey, "TIFF", compression="jpeg"))
    right("tiff-jpeg-grey.tif", tolerance=1)
    cmyk = ink()
    truth = ink_shown(cmyk)
    put("tiff-cmyk.tif", tiff(cmyk, 8, photometric=5))
    right("tiff-cmyk.tif", truth)
    put("tiff-cmyk16.tif", tiff(cmyk.astype(np.uint16) * 257, 16, photometric=5))
    right("tiff-cmyk16.tif", truth)
    put("tiff-cmyk-lzw.tif", saved(Image.fromarray(cmyk, "CMYK"), "TIFF", compression="tiff_lzw"))
    right("tiff-cmyk-lzw.tif", truth)
    for name in ("adobe", "p3", "srgb"):
        put(f"tiff-profile-{name}.tif", tiff(RGB, 8, tags=[(34675, 7, list(PROFILES[name]))]))
        right(f"tiff-profile-{name}.tif", lossy=99, profile=2, tolerance=2)
    put("tiff-profile-grey18.tif", tiff(GREY, 8, photometric=1, tags=[(34675, 7, list(PROFILES["grey18"]))]))
    right("tiff-profile-grey18.tif", lossy=99, profile=2, tolerance=2)
    put("tiff-pages.tif", saved(im, "TIFF", save_all=True, append_images=[Image.fromarray(255 - RGB)]))
    right("tiff-pages.tif", RGB)
    put("tiff-truncated.tif", saved(im, "TIFF")[:-30])
    refused("tiff-truncated.tif", "TIFF")
    put("tiff-data-cut.tif", tiff(RGB, 8, tags=[]).replace(struct.pack("<HHI", 279, 4, 3), struct.pack("<HHI", 65000, 4, 3)))
    refused("tiff-data-cut.tif", "broken TIFF")
    put("tiff-float.tif", tiff(RGB16, 16, tags=[(339, 3, [3, 3, 3])]))
    refused("tiff-float.tif", "floating-point")
    put("tiff-lab.tif", tiff(RGB, 8, photometric=8))
    refused("tiff-lab.tif", "photometric interpretation 8")
    put("tiff-bomb.tif", tiff(RGB[:1, :1], 8).replace(struct.pack("<HHII", 256, 3, 1, 1), struct.pack("<HHII", 256, 4, 1, 60000)).replace(struct.pack("<HHII", 257, 3, 1, 1), struct.pack("<HHII", 257, 4, 1, 60000)))
    refused("tiff-bomb.tif", "too large: 60000x60000")
    put("tiff-big.tif", b"II+\0\x08\0\0\0" + bytes(40))
    refused("tiff-big.tif", "BigTIFF is not supported")


# ---- GIF, and what is not read -------------------------------------------------------------------

def gifs():
    n = 32
    palette = [((i * 37 + 20) % 256, (i * 91 + 5) % 256, 255 - i) for i in range(n)]
    values = GREY >> 3
    im = Image.fromarray(values, "P")
    im.putpalette([c for p in palette for c in p])
    truth = np.array(palette, np.uint8)[values]
    plain = saved(im, "GIF", interlace=0)
    put("gif-plain.gif", plain)
    right("gif-plain.gif", truth)
    put("gif-interlaced.gif", saved(im, "GIF", interlace=1))
    right("gif-interlaced.gif", truth)
    key = int(values[6, 7])
    put("gif-transparent.gif", saved(im, "GIF", transparency=key, interlace=0, optimize=False))
    shown = truth.copy()
    shown[values == key] = 255
    right("gif-transparent.gif", shown)
    other = im.point(lambda v: (v + 5) % n)
    put("gif-animated.gif", saved(im, "GIF", save_all=True, append_images=[other], duration=50, loop=0))
    right("gif-animated.gif", truth)
    put("gif-87a.gif", b"GIF87a" + plain[6:])
    right("gif-87a.gif", truth)
    big = Image.fromarray((np.arange(60)[None] * 3 + np.arange(50)[:, None]).astype(np.uint8) // 4, "P")
    big.putpalette([c for i in range(64) for c in (i * 4, 255 - i * 3, (i * 50) % 256)])
    put("gif-60x50.gif", saved(big, "GIF"))
    right("gif-60x50.gif", np.asarray(big.convert("RGB")))
    at = plain.index(b"\x2c")
    offset = plain[:6] + struct.pack("<HH", W + 6, H + 5) + plain[10:at + 1] + struct.pack("<HH", 4, 3) + plain[at + 5:]
    canvas = np.full((H + 5, W + 6, 3), 255, np.uint8)
    canvas[3:3 + H, 4:4 + W] = truth
    put("gif-offset.gif", offset)
    given("gif-offset.gif", canvas, canvas, 0)  # the specification's canvas; decoders fill it at will
    manifest[-1] = manifest[-1].replace("Pillow truth", "truth")
    put("gif-truncated.gif", plain[:-60])
    refused("gif-truncated.gif", "truncated GIF")
    table = len(plain) - at
    cut = bytearray(plain[:at + 11])
    data = plain[at + 11:]
    cut += bytes([40]) + data[1:41] + b"\0;"
    put("gif-cut-but-ended.gif", bytes(cut))
    refused("gif-cut-but-ended.gif", "truncated GIF: data for")
    put("gif-bomb.gif", plain[:6] + struct.pack("<HH", 65535, 65535) + plain[10:])
    refused("gif-bomb.gif", "too large: 65535x65535")
    put("gif-no-image.gif", plain[:at] + b";")
    refused("gif-no-image.gif", "broken GIF: it holds no image")


def others():
    put("heic.heic", struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(20))
    refused("heic.heic", "HEIC is not read: convert it to JPEG")
    put("avif.avif", struct.pack(">I", 24) + b"ftypavif" + bytes(4) + b"mif1avif" + bytes(20))
    refused("avif.avif", "AVIF is not read: convert it to JPEG")
    put("text.jpg", b"<!DOCTYPE html><html>Not found</html>")
    refused("text.jpg", "not an image, it starts with")
    put("empty.png", b"")
    refused("empty.png", "empty file")
    put("gzip.png", b"\x1f\x8b\x08\0" + bytes(20))
    refused("gzip.png", "a gzip archive: unpack it")
    put("jpeg-named.png", get("jpeg-444.jpg"))
    right("jpeg-named.png")


jpegs()
pngs()
bmps()
pnms()
webps()
tiffs()
gifs()
others()
os.remove("srgb.tmp.icc")
with open("manifest.tsv", "w") as f:
    f.write("\n".join(manifest) + "\n")
size = sum(os.path.getsize(d + "/" + f) for d in ("files", "right") for f in os.listdir(d))
print(len(manifest), "files,", sum("refused" in m for m in manifest), "of them to be refused;", size // 1024, "KiB")
