import { element } from "../../../xml/element.ts";
import { attribute, child, children, required } from "../../../xml/field.ts";
import { oneOf, onOff, yesNo } from "../../../xml/value-form.ts";
import { absolutePath } from "../../forms/text.ts";

const rendernode = attribute("rendernode", absolutePath);
const enable = required(attribute("enable", yesNo));

/** `<gl>` of a display that can render with a graphics card of the host. */
export const gl = element("gl", () => ({ enable, rendernode }));

/** `<gl>` of an SDL display, which renders with the graphics card of its window. */
export const switchGl = element("gl", () => ({ enable }));

/** `<gl>` of an egl-headless display; it only renders. */
export const renderGl = element("gl", () => ({ rendernode }));

const channel = element("channel", () => ({
  name: required(
    attribute(
      "name",
      oneOf("main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir"),
    ),
  ),
  mode: required(attribute("mode", oneOf("any", "secure", "insecure"))),
}));
const lossy = oneOf("auto", "never", "always");

/** Children of `<graphics type='spice'>`, https://libvirt.org/formatdomain.html#graphical-framebuffers */
export const spiceChildren = {
  channels: children(channel),
  image: child(
    element("image", () => ({
      compression: required(
        attribute("compression", oneOf("auto_glz", "auto_lz", "quic", "glz", "lz", "off")),
      ),
    })),
  ),
  jpeg: child(element("jpeg", () => ({ compression: required(attribute("compression", lossy)) }))),
  zlib: child(element("zlib", () => ({ compression: required(attribute("compression", lossy)) }))),
  playback: child(element("playback", () => ({ compression: required(attribute("compression", onOff)) }))),
  streaming: child(
    element("streaming", () => ({ mode: required(attribute("mode", oneOf("filter", "all", "off"))) })),
  ),
  mouse: child(element("mouse", () => ({ mode: required(attribute("mode", oneOf("server", "client"))) }))),
  clipboard: child(element("clipboard", () => ({ copypaste: required(attribute("copypaste", yesNo)) }))),
  filetransfer: child(element("filetransfer", () => ({ enable }))),
  gl: child(gl),
};
