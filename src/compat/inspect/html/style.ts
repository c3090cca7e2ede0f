/** The page's only style sheet. No fonts, no images: nothing is loaded. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --card: #ffffff; --text: #1a1f27; --dim: #5c6675; --line: #d9dee6;
  --accent: #2563a8; --good: #18794e; --warn: #9a6700; --bad: #c0292b; --note: #2563a8; --bar: #8fb3da; --credit: #7a4bb5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12161c; --card: #1a2029; --text: #e4e8ee; --dim: #98a3b3; --line: #303947;
    --accent: #78b0ee; --good: #5cc795; --warn: #e0b040; --bad: #ff7b72; --note: #78b0ee; --bar: #3d6492; --credit: #b794f0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 24px 16px 64px; max-width: 1280px; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 22px; line-height: 1.3; }
h2 { margin: 36px 0 10px; font-size: 17px; }
p { margin: 6px 0; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.dim { color: var(--dim); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.verdict { margin-top: 16px; border-left: 5px solid var(--dim); font-size: 16px; }
.verdict b { text-transform: uppercase; letter-spacing: .04em; margin-right: 8px; }
.clean { border-left-color: var(--good); } .clean b { color: var(--good); }
.repaired, .warnings { border-left-color: var(--warn); } .repaired b, .warnings b { color: var(--warn); }
.trouble, .empty { border-left-color: var(--bad); } .trouble b, .empty b { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px; margin-top: 12px; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tiles b { display: block; font-size: 20px; line-height: 1.3; overflow-wrap: normal; }
.tiles span { color: var(--dim); font-size: 13px; }
.scroll { overflow-x: auto; padding: 0; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 7px 10px; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
th { color: var(--dim); font-weight: 600; font-size: 13px; white-space: normal; vertical-align: bottom; overflow-wrap: normal; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: var(--bad); font-weight: 600; }
td.text { white-space: normal; min-width: 220px; }
ol.anomalies { list-style: none; margin: 0; padding: 0; }
.anomalies li { display: grid; grid-template-columns: 84px 78px 1fr; gap: 4px 12px; padding: 10px 16px; border-bottom: 1px solid var(--line); }
.anomalies li:last-child { border-bottom: 0; }
.anomalies li:target { background: color-mix(in srgb, var(--accent) 14%, transparent); }
.anomalies time { font-variant-numeric: tabular-nums; color: var(--dim); text-align: right; }
.anomalies p { margin: 0; }
.tag { font-size: 13px; font-weight: 600; }
.error { color: var(--bad); } .warning { color: var(--warn); } .note { color: var(--note); }
svg { display: block; width: 100%; }
svg text { fill: var(--dim); font: 11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.timeline .bar { fill: var(--bar); } .timeline .again { fill: var(--warn); } .timeline .broken { fill: var(--bad); }
.timeline .base { stroke: var(--line); }
.timeline circle { stroke: var(--card); stroke-width: 1.5; }
circle.error { fill: var(--bad); } circle.warning { fill: var(--warn); } circle.note { fill: var(--note); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 8px; font-size: 13px; color: var(--dim); }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; }
.k-data { background: var(--accent); } .k-bar { background: var(--bar); } .k-again { background: var(--warn); }
.k-bad { background: var(--bad); } .k-ack { background: var(--dim); } .k-credit { background: var(--credit); }
.k-dot { border-radius: 50% !important; background: var(--note); }
details { margin-bottom: 10px; }
summary { cursor: pointer; padding: 2px 0; }
summary b { margin-right: 10px; }
.sequence { max-width: 760px; }
.sequence .life { stroke: var(--line); stroke-width: 2; }
.sequence .party { fill: var(--text); font-weight: 600; font-size: 12px; }
.sequence line.data, .sequence line.control { stroke: var(--accent); } .sequence path.data, .sequence path.control { fill: var(--accent); }
.sequence line.repeat { stroke: var(--warn); } .sequence path.repeat { fill: var(--warn); }
.sequence line.request { stroke: var(--bad); } .sequence path.request { fill: var(--bad); }
.sequence line.ack { stroke: var(--dim); stroke-dasharray: 4 3; } .sequence path.ack { fill: var(--dim); }
.sequence line.credit { stroke: var(--credit); } .sequence path.credit { fill: var(--credit); }
.sequence .label { fill: var(--text); }
.sequence .cross { stroke: var(--bad); stroke-width: 2.5; fill: none; }
.sequence g:target .label { font-weight: 700; fill: var(--accent); }
.controls { margin: 0 0 10px; }
button {
  font: inherit; font-size: 13px; color: var(--text); background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; padding: 4px 12px; margin-right: 6px; cursor: pointer;
}
footer { margin-top: 40px; font-size: 13px; color: var(--dim); }
@media (max-width: 600px) {
  body { padding: 16px 10px 48px; font-size: 14px; }
  .anomalies li { grid-template-columns: 1fr auto; padding: 10px 12px; }
  .anomalies time { text-align: left; }
  .anomalies .what { grid-column: 1 / -1; }
  th, td { padding: 6px 8px; }
  .card { padding: 12px; }
  .card.scroll { padding: 0; }
  .tiles { grid-template-columns: 1fr 1fr; }
}
@media print { details, .card { break-inside: avoid; } .controls { display: none; } }
`;
