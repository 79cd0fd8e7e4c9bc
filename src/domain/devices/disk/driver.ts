import { element, type ValueOf } from "../../../xml/element.ts";
import { attribute, child } from "../../../xml/field.ts";
import { integer, oneOf, onOff } from "../../../xml/value-form.ts";
import { sizeInBytes } from "../../forms/byte-size.ts";
import { iothreadFields } from "../../forms/iothread-mapping.ts";
import { driverFormat } from "../../forms/source/disk.ts";
import { virtioOptions } from "../../forms/virtio-driver.ts";

/** `<metadata_cache>` of an image. */
export const metadataCache = child(
  element("metadata_cache", () => ({ maxSizeBytes: sizeInBytes("max_size") })),
);

/** `<driver>` of a disk, https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms */
export const diskDriver = element("driver", () => ({
  name: attribute("name", oneOf("qemu")),
  type: attribute("type", driverFormat),
  cache: attribute("cache", oneOf("default", "none", "writeback", "writethrough", "directsync", "unsafe")),
  errorPolicy: attribute("error_policy", oneOf("stop", "report", "ignore", "enospace")),
  rerrorPolicy: attribute("rerror_policy", oneOf("stop", "report", "ignore")),
  io: attribute("io", oneOf("native", "threads", "io_uring")),
  ioeventfd: attribute("ioeventfd", onOff),
  eventIdx: attribute("event_idx", onOff),
  copyOnRead: attribute("copy_on_read", onOff),
  discard: attribute("discard", oneOf("unmap", "ignore")),
  detectZeroes: attribute("detect_zeroes", oneOf("off", "on", "unmap")),
  queues: attribute("queues", integer(1, 65535)),
  queueSize: attribute("queue_size", integer(1, 65535)),
  discardNoUnref: attribute("discard_no_unref", onOff),
  iothread: iothreadFields.iothread,
  ...virtioOptions,
  metadataCache,
  iothreads: iothreadFields.iothreads,
}));
export type DiskDriver = ValueOf<typeof diskDriver>;
