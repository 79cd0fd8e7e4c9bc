import type { FoundSecret } from "../../../resolve/secrets/find-secret.ts";
import { selectSecrets } from "../../../vm/secret/secret-list.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";
import { warnOf } from "../../output/warn-of.ts";

/** `svirt secret-list` */
export const command: Command = {
  spec: {
    name: "secret-list",
    summary: "list secrets and their objects",
    recovery: "none",
    operands: [],
    options: [
      { name: "ephemeral", summary: "list ephemeral secrets" },
      { name: "no-ephemeral", summary: "list secrets on disk" },
      { name: "private", summary: "list private secrets" },
      { name: "no-private", summary: "list secrets with a value readable to clients" },
      JSON_OPTION,
    ],
  },
  run(call) {
    const { options } = call;
    const filter = {
      ephemeral: options.has("ephemeral"),
      noEphemeral: options.has("no-ephemeral"),
      private: options.has("private"),
      noPrivate: options.has("no-private"),
    };
    const secrets = selectSecrets(call.instance, filter, (error) => warnOf(call, "warning", [error]));
    if (options.has("json")) printJson(call, secrets.map(toJson));
    else call.output.print(formatTable(["UUID", "Usage"], secrets.map(toRow)));
    return Promise.resolve(undefined);
  },
};

function toRow({ usage, uuid }: FoundSecret): readonly string[] {
  return [uuid, usage === undefined ? "Unused" : oneLine(`${usage.type} ${usage.id}`)];
}

function toJson({ ephemeral, private: isPrivate, usage, uuid }: FoundSecret) {
  return { uuid, usage, ephemeral, private: isPrivate };
}
