using System.Globalization;
using Slipway.Primitives.Units;

namespace Slipway.Cli;

/// <summary>A run's picture as lines of a terminal: a row for each stage that runs, and one of totals. Pure.</summary>
internal static class RunFrame
{
    /// <summary>Columns of a name in a narrow terminal, at least.</summary>
    private const int LeastName = 8;

    /// <summary>Columns between two cells.</summary>
    private const string Gap = "  ";

    private const int Wide = 100, WideBar = 20, NarrowBar = 10;

    /// <summary>Columns from which on a reason says something.</summary>
    private const int LeastReason = 10;

    /// <param name="now">Since the run began.</param>
    /// <param name="width">Of the terminal, in columns; its last one stays free, where some terminals would begin a new line.</param>
    /// <param name="height">Of the terminal, in rows; the last one is the cursor's.</param>
    /// <returns>At most <paramref name="height"/> − 1 lines.</returns>
    public static IReadOnlyList<string> Of(RunPicture picture, TimeSpan now, int width, int height)
    {
        var lines = new List<string>();
        if (picture.Phase is { } phase)
            lines.Add($"· {phase.Doing}{Gap}{Clock(now - phase.Since)}");
        else if (!picture.Running.IsEmpty)
            lines.AddRange(Rows(picture.Running, now, width - 1, Math.Max(0, height - 2)));
        if (picture.Planned > 0 || picture.IsStopping)
            lines.Add(Totals(picture, now));
        return [.. lines.TakeLast(Math.Max(0, height - 1)).Select(line => TerminalText.Cut(line, width - 1))];
    }

    private static IEnumerable<string> Rows(IReadOnlyList<RunningStage> running, TimeSpan now, int width, int rows)
    {
        var shown = running.Count <= rows ? running : [.. running.Take(Math.Max(0, rows - 1))];
        var name = Math.Min(shown.Select(stage => TerminalText.Width(stage.Name)).DefaultIfEmpty().Max(), Math.Max(LeastName, width / 3));
        var clock = shown.Select(stage => Clock(now - stage.Since).Length).DefaultIfEmpty().Max();
        var room = width - 2 - name - Gap.Length - clock;
        var columns = Columns(shown, now, width >= Wide ? WideBar : NarrowBar, ref room);
        foreach (var stage in shown)
        {
            var row = $"· {TerminalText.Fit(stage.Name, name)}{Gap}{Clock(now - stage.Since).PadLeft(clock)}{string.Concat(columns.Select(column => Gap + TerminalText.Fit(column.Text(stage), column.Width)))}";
            yield return room >= Gap.Length + LeastReason ? row + Gap + TerminalText.Cut(stage.Why, room - Gap.Length) : row.TrimEnd();
        }

        if (running.Count > shown.Count)
            yield return string.Create(CultureInfo.InvariantCulture, $"{Gap}and {running.Count - shown.Count:N0} more");
    }

    /// <summary>The cells that any of the stages has something for, as many as fit, those that matter most first.</summary>
    private static List<Column> Columns(IReadOnlyList<RunningStage> shown, TimeSpan now, int bar, ref int room)
    {
        Column[] all =
        [
            new(1, bar, stage => stage.Share is { } share ? Bar(share, bar) : ""),
            new(0, 5, stage => stage.Share is { } share ? Percent(share).PadLeft(5) : ""),
            new(3, 11, stage => stage.Rest(now) is { } rest ? $"~{Clock(TimeSpan.FromSeconds(Math.Ceiling(rest.TotalSeconds)))} left" : ""),
            new(2, 9, stage => stage.Use is { } use ? new ByteSize(use.Memory).ToString().PadLeft(9) : ""),
            new(4, 9, stage => stage.Use is { } use ? (use.Processors.ToString("0.0", CultureInfo.InvariantCulture) + " cpus").PadLeft(9) : ""),
        ];
        var chosen = new List<Column>();
        foreach (var column in all.OrderBy(column => column.Rank).Where(column => shown.Any(stage => column.Text(stage).Length > 0)))
        {
            if (column.Width + Gap.Length > room)
                continue;
            chosen.Add(column);
            room -= column.Width + Gap.Length;
        }

        return [.. all.Where(chosen.Contains)];
    }

    private static string Totals(RunPicture picture, TimeSpan now)
    {
        (int Count, string Word)[] counts =
        [
            (picture.Failed, "failed"), (picture.Running.Length, "running"),
            // After a failure some of them, or all, will not begin at all.
            (picture.Waiting, picture.Failed > 0 || picture.IsStopping ? "not begun" : "waiting"),
            (picture.Executed, "done"), (picture.Cached, "cached"),
        ];
        var said = counts.Where(counted => counted.Count > 0).Select(counted => string.Create(CultureInfo.InvariantCulture, $"{counted.Count:N0} {counted.Word}"));
        return $"{Gap}{Clock(now)}{Gap}{string.Join(", ", picture.IsStopping ? said.Prepend("stopping") : said)}";
    }

    /// <summary>Rounded down: 100 % means that nothing is left.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 100 + 1e-9):0} %");

    private static string Bar(double share, int columns)
    {
        var full = (int)Math.Floor(Math.Clamp(share, 0, 1) * columns + 1e-9);
        return new string('█', full) + new string('░', columns - full);
    }

    /// <summary><c>0:07</c>, <c>12:40</c>, <c>3:05:00</c>.</summary>
    private static string Clock(TimeSpan time)
    {
        var seconds = (long)Math.Max(0, time.TotalSeconds);
        return seconds < 3600
            ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}:{seconds % 60:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}");
    }

    /// <param name="Rank">Which are left out last: the lowest.</param>
    private sealed record Column(int Rank, int Width, Func<RunningStage, string> Text);
}
