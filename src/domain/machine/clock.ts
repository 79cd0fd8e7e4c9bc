import { choice } from "../../xml/choice.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required } from "../../xml/field.ts";
import { integer, oneOf, type ValueForm, yesNo } from "../../xml/value-form.ts";
import { objectName } from "../forms/text.ts";

const catchup = element("catchup", () => ({
  threshold: attribute("threshold", integer(0, 2 ** 32 - 1)),
  slew: attribute("slew", integer(0, 2 ** 32 - 1)),
  limit: attribute("limit", integer(0, 2 ** 32 - 1)),
}));

// `mode` and `catchup` are read, but not passed to QEMU. virDomainTimerDefParseXML() of libvirt
const timer = element("timer", () => ({
  name: required(attribute("name", oneOf("rtc", "pit", "hpet", "kvmclock", "hypervclock", "tsc"))),
  present: attribute("present", yesNo),
  track: attribute("track", oneOf("guest", "wall", "realtime")),
  tickpolicy: attribute("tickpolicy", oneOf("delay", "catchup", "discard")),
  frequency: attribute("frequency", integer(1, Number.MAX_SAFE_INTEGER)),
  mode: attribute("mode", oneOf("auto", "native", "emulate", "paravirt", "smpsafe")),
  catchup: child(catchup),
}));
export type Timer = ValueOf<typeof timer>;

const timers = children(timer);
const seconds = integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

// svirt does not store the guest's changes to its clock, so each start begins as 'reset' requests.
const resetOrSeconds: ValueForm<"reset" | number> = {
  expects: `"reset", or ${seconds.expects}`,
  decode: (text) => (text === "reset" ? text : seconds.decode(text)),
  encode: String,
};
const adjustment = attribute("adjustment", resetOrSeconds);

/** `<clock>`, https://libvirt.org/formatdomain.html#time-keeping */
export const clock = choice("clock", {
  attribute: "offset",
  of: () => ({
    utc: { adjustment, timers },
    localtime: { adjustment, timers },
    variable: {
      adjustmentSeconds: attribute("adjustment", seconds),
      basis: attribute("basis", oneOf("utc", "localtime")),
      timers,
    },
    timezone: { timezone: required(attribute("timezone", objectName)), timers },
    absolute: { start: required(attribute("start", integer(0, 253_402_300_799))), timers },
  }),
});
export type Clock = ValueOf<typeof clock>;
