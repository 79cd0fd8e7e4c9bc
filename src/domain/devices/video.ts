import type { Field } from "../../xml/declaration.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { integer, oneOf, onOff, yesNo } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { absolutePath } from "../forms/text.ts";
import { virtioOptions } from "../forms/virtio-driver.ts";

const memory = integer(0, 1 << 21);

const driver = element("driver", () => ({
  ...virtioOptions,
  name: attribute("name", oneOf("qemu", "vhostuser")),
}));

const acceleration = element("acceleration", () => ({
  accel2d: attribute("accel2d", yesNo),
  accel3d: attribute("accel3d", yesNo),
  rendernode: attribute("rendernode", absolutePath),
}));

const resolution = element("resolution", () => ({
  x: required(attribute("x", integer(1, 65535))),
  y: required(attribute("y", integer(1, 65535))),
}));

const model = element("model", () => ({
  type: required(
    attribute("type", oneOf("vga", "cirrus", "virtio", "bochs", "qxl", "vmvga", "ramfb", "none")),
  ),
  ramKiB: attribute("ram", memory),
  vramKiB: attribute("vram", memory),
  vram64KiB: attribute("vram64", integer(0, 2 ** 32 - 1)),
  vgamemKiB: attribute("vgamem", memory),
  heads: attribute("heads", integer(1, 16)),
  primary: attribute("primary", yesNo),
  blob: attribute("blob", onOff),
  acceleration: child(acceleration),
  resolution: child(resolution),
}));

const field = child(model);

/** A missing `<model>` is a cirrus, on any PC. qemuDomainDefaultVideoDevice() of libvirt */
const modelOrDefault: Field<ValueOf<typeof model>> = {
  place: field.place,
  read: (node, faults) => field.read(node, faults) ?? { type: "cirrus" },
  write: (draft, value) => field.write(draft, value),
};

/** `<video>`, https://libvirt.org/formatdomain.html#video-devices */
export const video = element("video", () => ({ driver: child(driver), model: modelOrDefault, ...onPci }));
export type Video = ValueOf<typeof video>;
