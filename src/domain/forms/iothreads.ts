import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer } from "../../xml/value-form.ts";

/** Number of an I/O thread. */
export const iothreadId = integer(1, 2 ** 32 - 1);

/** Count of I/O threads; the limit is svirt's own, since each is a thread. */
export const iothreadCount = integer(0, 4096);

const poolSize = integer(0, 2 ** 31 - 1);
const nanoseconds = integer(0, Number.MAX_SAFE_INTEGER);

const poll = element("poll", () => ({
  max: attribute("max", nanoseconds),
  grow: attribute("grow", nanoseconds),
  shrink: attribute("shrink", nanoseconds),
}));
const pool = {
  threadPoolMin: attribute("thread_pool_min", poolSize),
  threadPoolMax: attribute("thread_pool_max", poolSize),
};

const iothread = checked(
  element("iothread", () => ({ id: required(attribute("id", iothreadId)), ...pool, poll: child(poll) })),
  refuseOtherPool,
);

/** `<iothreadids>`, https://libvirt.org/formatdomain.html#iothreads-allocation */
export const iothreadIds = checked(
  element("iothreadids", () => ({ list: children(iothread) })),
  ({ list }, node) => {
    const twice = list.find(({ id }, at) => list.findIndex((found) => found.id === id) < at);
    if (twice === undefined) return;
    throw notUnderstood({ node }, `two I/O threads have the number ${twice.id}`, "Write another number.");
  },
);

/** `<defaultiothread>`: thread pool of QEMU's main loop. */
export const defaultIothread = checked(
  element("defaultiothread", () => pool),
  refuseOtherPool,
);

/** Thread for disks alongside QEMU's main loop. */
export type Iothread = ValueOf<typeof iothread>;

interface Pool {
  readonly threadPoolMin?: number;
  readonly threadPoolMax?: number;
}

// virDomainDefValidateIOThreadsThreadPool() of libvirt: an absent value is less than any number.
function refuseOtherPool({ threadPoolMin = -1, threadPoolMax = -1 }: Pool, node: XmlNode): void {
  if (threadPoolMax !== 0 && threadPoolMin <= threadPoolMax) return;
  throw notUnderstood(
    { node, place: "@thread_pool_max" },
    "it is neither 0 nor less than thread_pool_min",
    "Write a greater number there.",
  );
}
