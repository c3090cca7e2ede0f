/** `5, 8, 11 and 3 more`. */
export function list(items: Iterable<number | string>, most = 5): string {
  const all = [...items];
  const shown = all.slice(0, most).join(', ');
  return all.length <= most ? shown : `${shown} and ${all.length - most} more`;
}
