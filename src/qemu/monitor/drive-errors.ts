import * as v from "valibot";
import { parseAnswer } from "./parse-answer.ts";
import { deviceOf } from "./statistics.ts";

/** Reason why a drive's last request has failed. */
export type DriveError = "no space" | "unspecified error";

const drives = v.array(
  v.looseObject({ qdev: v.exactOptional(v.string()), "io-status": v.exactOptional(v.string()) }),
);

/**
 * Parses the errors in the answer of query-block, each with the id of its device. Throws "failed".
 * qemuMonitorBlockIOStatusToError() of libvirt
 */
export function parseDriveErrors(
  answer: unknown,
): readonly { readonly device: string; readonly error: DriveError }[] {
  return parseAnswer(drives, answer, "query-block").flatMap(({ "io-status": status = "ok", qdev }) => {
    if (status === "ok" || qdev === undefined) return [];
    return [{ device: deviceOf(qdev), error: status === "nospace" ? "no space" : "unspecified error" }];
  });
}
