import { choice } from "../xml/choice.ts";
import type { ValueOf } from "../xml/element.ts";
import { element } from "../xml/element.ts";
import { attribute, children, required } from "../xml/field.ts";
import { oneOf, yesNo } from "../xml/value-form.ts";

const timer = element("timer", {
  name: required(attribute("name", oneOf("rtc", "pit", "hpet", "kvmclock", "hypervclock", "tsc"))),
  present: attribute("present", yesNo),
  track: attribute("track", oneOf("guest", "wall")),
  tickpolicy: attribute("tickpolicy", oneOf("delay", "catchup", "discard")),
});
export type Timer = ValueOf<typeof timer>;

/** `<clock>`, https://libvirt.org/formatdomain.html#time-keeping */
export const clock = choice("clock", {
  attribute: "offset",
  of: { utc: { timers: children(timer) }, localtime: { timers: children(timer) } },
  refused: {
    timezone: "svirt does not compute another zone's clock yet",
    variable: "svirt does not keep a guest's clock adjustment yet",
    absolute: "svirt does not start a clock at a fixed time yet",
  },
});
