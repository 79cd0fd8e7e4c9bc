/** Formats virsh's list of parameters: `hard_limit     : unlimited`. */
export function formatParameters(parameters: readonly (readonly [name: string, value: string])[]): string {
  return `${parameters.map(([name, value]) => `${name.padEnd(15)}: ${value}\n`).join("")}\n`;
}
