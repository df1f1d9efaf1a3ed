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

  const gridTop = 36, lineHeight = 13, dashes = ["solid", [7, 4], [2, 4], [9, 3, 2, 3], [12, 4]];
  const points = (rows, { step, series }) => {
    // A spreadsheet's apostrophe may stand before a name.
    const byName = new Map(series.map(name => [name, []])), pointsOf = name => byName.get(name) ?? byName.get(name.slice(1)) ?? [];
    for (const [time, name, value, low, high, count] of rows) {
      const own = pointsOf(name), at = Date.parse(time);
      // A hole in time is a hole in the line.
      if (own.length > 0 && step > 0 && at - own.at(-1)[0] > 1.5 * step) own.push([own.at(-1)[0] + step, null, null, null, null]);
      own.push([at, ...[value, low, high, count].map(text => text === "" ? null : Number(text))]);
    }
    return byName;
  };

  const isKnown = point => point !== undefined && point[1] !== null;

  // Marks near each other share a label above the plot, a line each: at most as many labels as have room side by side.
  const marks = (markers, from, to, width) => {
    const groups = [], apart = (to - from) * Math.min(1, 120 / Math.max(1, width - 80));
    for (const marker of markers.filter(marker => marker.at >= from && marker.at <= to)) {
      if (groups.length > 0 && marker.at - groups.at(-1)[0].at < apart) groups.at(-1).push(marker);
      else groups.push([marker]);
    }
    return {
      rows: Math.max(0, ...groups.map(group => group.length)),
      data: groups.flatMap(group => group.map((marker, i) => ({
        name: marker.label, xAxis: marker.at,
        label: i > 0 ? { show: false } : { formatter: group.map(one => one.label).join("\n"), align: marker.at > from + (to - from) * 0.7 ? "right" : "left" },
      }))),
    };
  };

  const lines = (zoom, color, marked) => ({
    silent: true, symbol: "none", animation: false,
    data: [
      ...marked.data.map(mark => ({ ...mark, lineStyle: { color: color("--chart-soft"), type: [2, 3], width: 1 }, label: { position: "end", distance: 4, color: color("--chart-soft"), fontSize: 11, lineHeight, ...mark.label } })),
      ...zoom.limits.map(limit => ({ yAxis: limit.value, lineStyle: { color: color("--c-bad"), type: [5, 4], width: 1.5 }, label: { formatter: limit.label, position: "insideEndTop", color: color("--c-bad"), fontSize: 11 } })),
    ],
  });

  // The colours, dashes and marks of the picture.
  const options = (rows, zoom, width, range) => {
    const style = getComputedStyle(document.documentElement), color = name => style.getPropertyValue(name).trim();
    const { unit, series } = zoom, byName = points(rows, zoom), all = [...[...byName.values()].flat().map(point => point[0]), ...zoom.markers.map(marker => marker.at)];
    const [from, to] = range ?? [Math.min(...all), Math.max(...all)], marked = marks(zoom.markers, from, to, width);
    const text = point => `${worded(point[1], unit)}${point[2] === null || point[3] === null ? "" : ` [${worded(point[2], unit)}, ${worded(point[3], unit)}]`}${point[4] === null ? "" : `, of ${point[4]}`}`;
    return {
      useUTC: true, animation: false, textStyle: { fontFamily: "system-ui, sans-serif", color: color("--chart-soft") },
      grid: { left: 64, right: 16, top: gridTop + marked.rows * lineHeight, bottom: 84 }, legend: { top: 0, data: series, textStyle: { color: color("--chart-ink") } },
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true, backgroundColor: color("--chart-ground"), borderColor: color("--chart-soft"), textStyle: { color: color("--chart-ink"), fontSize: 12 },
        formatter: shown => [new Date(shown[0].value[0]).toISOString().replace("T", " ").slice(0, 19) + " UTC", ...shown.filter(item => item.seriesId.startsWith("value")).map(item => `${item.seriesName}: ${text(item.value)}`)].join("\n"),
      },
      xAxis: { type: "time", name: "time in UTC", nameLocation: "middle", nameGap: 22, min: Math.min(...all), max: Math.max(...all), splitNumber: Math.max(2, Math.floor(width / 120)), axisLabel: { hideOverlap: true }, axisLine: { lineStyle: { color: color("--chart-soft") } } },
      yAxis: { type: "value", scale: !zoom.fromZero, axisLabel: { formatter: value => worded(value, unit) }, splitLine: { lineStyle: { color: color("--chart-grid") } } },
      dataZoom: [{ type: "inside" }, { type: "slider", bottom: 12, labelFormatter: value => new Date(value).toISOString().slice(0, 16).replace("T", " ") }],
      series: series.flatMap((name, i) => {
        const own = byName.get(name), paint = color(`--c${i % dashes.length + 1}`), alone = own.filter((point, j) => isKnown(point) && !isKnown(own[j - 1]) && !isKnown(own[j + 1]));
        // The band is two lines that nobody sees, stacked, with the area of the upper one filled.
        const band = (part, value) => ({
          id: part + i, name, type: "line", stack: "band" + i, silent: true, showSymbol: false, connectNulls: false, lineStyle: { opacity: 0 }, itemStyle: { color: paint },
          areaStyle: { color: paint, opacity: part === "high" ? 0.16 : 0 }, data: own.map(point => [point[0], point[2] === null || point[3] === null ? null : value(point)]),
        });
        const line = {
          id: "value" + i, name, type: "line", showSymbol: false, connectNulls: false, data: own, encode: { x: 0, y: 1 }, itemStyle: { color: paint },
          lineStyle: { width: 2, color: paint, type: dashes[i % dashes.length] }, ...(i === 0 ? { markLine: lines(zoom, color, marked) } : {}),
        };
        // A point without neighbours has no line: it is a dot, and its interval a stroke.
        const dots = {
          id: "alone" + i, name, type: "scatter", silent: true, symbolSize: 7, itemStyle: { color: paint }, data: alone.map(point => [point[0], point[1]]),
          markLine: { silent: true, symbol: "none", animation: false, label: { show: false }, lineStyle: { color: paint, width: 2, type: "solid" }, data: alone.filter(point => point[2] !== null && point[3] !== null).map(point => [{ coord: [point[0], point[2]] }, { coord: [point[0], point[3]] }]) },
        };
        return [line, ...(alone.length > 0 ? [dots] : []), ...(own.some(point => point[2] !== null) ? [band("low", point => point[2]), band("high", point => point[3] - point[2])] : [])];
      }),
    };
  };

  const draw = async (figure, box, chart) => {
    const link = figure.querySelector("a[download]");
    if (!link) return;
    const answer = await fetch(link.href, { headers: { "Slipway-Live": "1" } });
    if (answer.ok) {
      const rows = parse(await answer.text()), zoom = JSON.parse(figure.dataset.zoom), show = range => options(rows, zoom, chart.getWidth(), range);
      chart.setOption(show(null), { replaceMerge: ["series"] });
      // Marks that lay on each other part as people zoom in.
      chart.off("datazoom");
      chart.on("datazoom", () => {
        const { startValue, endValue } = chart.getOption().dataZoom[0], { grid, series } = show([startValue, endValue]);
        chart.setOption({ grid, series: series.filter(one => one.id === "value0").map(({ id, markLine }) => ({ id, markLine })) });
      });
    }
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
    for (const figure of document.querySelectorAll("figure[data-zoom]")) {
      const button = document.createElement("button");
      [button.type, button.className, button.textContent, button.id] = ["button", "quiet zoom", "Zoom", figure.id + "-zoom"];
      button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-label", "Zoom into: " + figure.querySelector("figcaption").textContent);
      button.addEventListener("click", () => zoom(figure, button));
      figure.prepend(button);
    }
    for (const [id, { box, chart }] of zoomed) {
      const figure = document.getElementById(id);
      if (figure?.dataset.zoom) { place(figure, figure.querySelector(".zoom"), box); draw(figure, box, chart); }
      else { chart.dispose(); zoomed.delete(id); }
    }
  };

  addEventListener("resize", () => { for (const { chart } of zoomed.values()) chart.resize(); });
  document.addEventListener("slipway:swapped", prepare);
  prepare();
})();
