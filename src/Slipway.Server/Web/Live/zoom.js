"use strict";
// Lets people zoom into a chart over time, and read single values off it. The drawn chart stays what it is until somebody asks.
(() => {
  const library = document.currentScript.dataset.library;
  const zoomed = new Map();      // by figure: what is drawn in place of its picture; at most as many as the page has figures
  let loading = null;

  const load = () => loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    [script.src, script.onload, script.onerror] = [library, () => resolve(window.echarts), () => { loading = null; reject(new Error("the chart's script cannot be loaded")); }];
    document.head.append(script);
  });

  // RFC 4180.
  const parse = text => {
    const rows = [[]];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r\n|$)/g)) {
      rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
      if (end === "\r\n") rows.push([]);
      if (end === "") break;
    }
    return rows.slice(1).filter(row => row.length > 2);
  };

  const significant = value => Number.parseFloat(value.toPrecision(4)).toString();
  const worded = (value, unit) => value === null || value === undefined || Number.isNaN(value) ? "–"
    : unit === "share" ? significant(value * 100) + " %"
    : unit === "seconds" ? (value < 1 ? significant(value * 1000) + " ms" : significant(value) + " s")
    : unit === "persecond" ? significant(value) + "/s" : significant(value);

  const options = (rows, unit, step) => {
    const style = getComputedStyle(document.documentElement), color = name => style.getPropertyValue(name).trim();
    const names = [...new Set(rows.map(row => row[1]))], byName = new Map(names.map(name => [name, []]));
    for (const [time, name, value, low, high, count] of rows) {
      const points = byName.get(name), at = Date.parse(time);
      // A hole in time is a hole in the line.
      if (points.length > 0 && step > 0 && at - points.at(-1)[0] > 1.5 * step) points.push([points.at(-1)[0] + step, null, null, null, null]);
      points.push([at, ...[value, low, high, count].map(text => text === "" ? null : Number(text))]);
    }
    const text = point => `${worded(point[1], unit)}${point[2] === null || point[3] === null ? "" : ` [${worded(point[2], unit)}, ${worded(point[3], unit)}]`}${point[4] === null ? "" : `, of ${point[4]}`}`;
    return {
      useUTC: true, animation: false, textStyle: { fontFamily: "system-ui, sans-serif", color: color("--chart-soft") },
      grid: { left: 64, right: 16, top: 36, bottom: 72 }, legend: { top: 0, textStyle: { color: color("--chart-ink") } },
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true, backgroundColor: color("--chart-ground"), borderColor: color("--chart-soft"), textStyle: { color: color("--chart-ink"), fontSize: 12 },
        formatter: shown => [new Date(shown[0].value[0]).toISOString().replace("T", " ").slice(0, 19) + " UTC", ...shown.map(item => `${item.seriesName}: ${text(item.value)}`)].join("\n"),
      },
      xAxis: { type: "time", axisLine: { lineStyle: { color: color("--chart-soft") } } },
      yAxis: { type: "value", scale: unit === "number", axisLabel: { formatter: value => worded(value, unit) }, splitLine: { lineStyle: { color: color("--chart-grid") } } },
      dataZoom: [{ type: "inside" }, { type: "slider", bottom: 12, labelFormatter: value => new Date(value).toISOString().slice(0, 16).replace("T", " ") }],
      series: names.map((name, i) => ({
        name, type: "line", showSymbol: false, connectNulls: false, data: byName.get(name), encode: { x: 0, y: 1 },
        lineStyle: { width: 2, color: color(`--c${i % 5 + 1}`), type: ["solid", [7, 4], [2, 4], [9, 3, 2, 3], [12, 4]][i % 5] }, itemStyle: { color: color(`--c${i % 5 + 1}`) },
      })),
    };
  };

  const draw = async (figure, box, chart) => {
    const link = figure.querySelector("a[download]");
    if (!link) return;
    const answer = await fetch(link.href, { headers: { "Slipway-Live": "1" } });
    if (answer.ok) chart.setOption(options(parse(await answer.text()), figure.dataset.unit, Number(figure.dataset.step)), { replaceMerge: ["series"] });
    chart.resize();
  };

  const place = (figure, button, box) => {
    for (const picture of figure.querySelectorAll(".wide, .narrow")) picture.hidden = true;
    figure.querySelector("figcaption").after(box);
    button.textContent = "Picture";
    button.setAttribute("aria-pressed", "true");
  };

  const zoom = async (figure, button) => {
    if (zoomed.has(figure.id)) {
      const { box, chart } = zoomed.get(figure.id);
      zoomed.delete(figure.id);
      chart.dispose();
      box.remove();
      for (const picture of figure.querySelectorAll(".wide, .narrow")) picture.hidden = false;
      button.textContent = "Zoom";
      button.setAttribute("aria-pressed", "false");
      return;
    }
    button.disabled = true;
    try {
      const echarts = await load();
      const box = document.createElement("div");
      box.className = "zoomed";
      place(figure, button, box);
      const chart = echarts.init(box, null, { renderer: "canvas" });
      zoomed.set(figure.id, { box, chart });
      await draw(figure, box, chart);
    } catch (error) { button.textContent = "Zoom failed: " + error.message; }
    finally { button.disabled = false; button.focus(); }
  };

  const prepare = () => {
    for (const figure of document.querySelectorAll("figure[data-unit]")) {
      const button = document.createElement("button");
      [button.type, button.className, button.textContent, button.id] = ["button", "quiet zoom", "Zoom", figure.id + "-zoom"];
      button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-label", "Zoom into: " + figure.querySelector("figcaption").textContent);
      button.addEventListener("click", () => zoom(figure, button));
      figure.prepend(button);
    }
    for (const [id, { box, chart }] of zoomed) {
      const figure = document.getElementById(id);
      if (figure?.dataset.unit) { place(figure, figure.querySelector(".zoom"), box); draw(figure, box, chart); }
      else { chart.dispose(); zoomed.delete(id); }
    }
  };

  addEventListener("resize", () => { for (const { chart } of zoomed.values()) chart.resize(); });
  document.addEventListener("slipway:swapped", prepare);
  prepare();
})();
