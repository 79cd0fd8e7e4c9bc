import { SvirtError } from "../../../errors.ts";
import { type PictureType, takeScreenshot } from "../../../vm/save/screenshot.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

const ENDINGS: Readonly<Record<PictureType, string>> = {
  "image/png": ".png",
  "image/x-portable-pixmap": ".ppm",
};

/** `svirt screenshot DOMAIN [FILE]` */
export const command: Command = {
  spec: {
    name: "screenshot",
    summary: "save a picture of a guest's screen to a file",
    details: "The default file name consists of the domain's name and the time (UTC), in the current folder.",
    operands: [DOMAIN_OPERAND, { name: "file", summary: "path of the file to write", isOptional: true }],
    options: [
      { name: "screen", value: "number", summary: "number of the screen of the first video card, from 0" },
    ],
  },
  async run(call) {
    const given = call.operands.get("file");
    const { path, type } = await takeScreenshot(call.instance, operand(call, "domain"), {
      screen: screenOf(call),
      pathFor: (picture) => given ?? `${picture.name}-${formatTime(picture.nowMs)}${ENDINGS[picture.type]}`,
    });
    call.output.print(`Screenshot saved to ${oneLine(path)}, with type of ${type}\n`);
    return undefined;
  },
};

function screenOf({ options }: Call): number {
  const word = options.get("screen") ?? "0";
  if (/^\d{1,3}$/.test(word)) return Number(word);
  throw new SvirtError(`Numeric value '${word}' for <screen> option is malformed or out of range`, {
    kind: "usage",
    remedy: "Write 0 or a greater number.",
  });
}

/**
 * Formats a time as virsh does, 2025-07-31-23:59:59, but in UTC, like all times that svirt prints. SELinux
 * domains then need no access to the host's time zone.
 */
function formatTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, "2025-07-31T23:59:59".length).replace("T", "-");
}
