using System.Diagnostics;
using System.Text.Json;

namespace Slipway.EndToEnd;

/// <summary>A run before a person's eyes, in a terminal that tmux keeps; and before a program's.</summary>
public sealed class LiveTests : IDisposable
{
    private const string Spec = """
        slipway: 1
        name: live
        stages:
          first:
            run: "echo progress 1/4; WAIT; echo f > build/first.txt"
            out: { f: build/first.txt }
          second:
            run: "echo s > build/second.txt"
            out: { s: build/second.txt }
          third:
            run: "echo t > build/third.txt"
            in: [first.f]
            out: { t: build/third.txt }
        """;

    private static readonly TimeSpan atMost = TimeSpan.FromSeconds(60);

    private readonly TinyProject project = new();

    // Long enough for a slow machine to be seen at it.
    public LiveTests() => Write("sleep 6");

    public void Dispose() => project.Dispose();

    [Fact]
    public void A_terminal_shows_what_runs_in_place_and_keeps_what_ended()
    {
        using var terminal = Terminal.Open(project, 80, 12);
        terminal.Type("run --jobs 2");
        var live = terminal.Until(text => text.Contains("25 %", StringComparison.Ordinal) && text.Contains("✓ second", StringComparison.Ordinal));
        Assert.Matches("(?m)^· first  0:0[0-9]  ██░░░░░░░░   25 %", live);
        Assert.Matches("(?m)^  0:0[0-9]  1 running, 1 waiting, 1 done$", live);
        var ended = terminal.Until(text => text.Contains("left with 0", StringComparison.Ordinal));
        // Every end once, nothing of the block, and the account after it.
        Assert.Matches("(?m)^✓ first .*never ran$", ended);
        Assert.Matches("(?m)^✓ third .*never ran$", ended);
        Assert.Matches("(?m)^stages +first +executed", ended);
        Assert.DoesNotContain("running", ended);
        Assert.DoesNotContain("░", ended);
    }

    [Fact]
    public void In_40_columns_and_5_rows_it_stays_in_its_place()
    {
        using var terminal = Terminal.Open(project, 40, 5);
        terminal.Type("run --jobs 2 >account.txt");
        var live = terminal.Until(text => text.Contains("25 %", StringComparison.Ordinal) && text.Contains("1 done", StringComparison.Ordinal));
        Assert.Single(live.Split('\n'), line => line.StartsWith("· first", StringComparison.Ordinal));
        terminal.Until(text => text.Contains("left with 0", StringComparison.Ordinal) && !text.Contains("running", StringComparison.Ordinal));
        Assert.Contains("executed", File.ReadAllText(project.PathOf("account.txt")));
    }

    [Fact]
    public void Ctrl_C_leaves_a_clean_terminal()
    {
        Write("sleep 600");
        using var terminal = Terminal.Open(project, 80, 12);
        terminal.Type("run --jobs 2");
        terminal.Until(text => text.Contains("25 %", StringComparison.Ordinal));
        terminal.Press("C-c");
        var ended = terminal.Until(text => text.Contains("left with 130", StringComparison.Ordinal));
        Assert.Contains("stopped; what had finished is kept", ended);
        Assert.DoesNotContain("running", ended);
        Assert.DoesNotContain("25 %", ended);
        Assert.DoesNotContain("^C", ended);
        Assert.Equal("1", terminal.Ask("#{cursor_flag}"));
    }

    [Fact]
    public void On_a_pipe_there_are_plain_lines()
    {
        Write("true");
        var run = project.Run("run");
        Assert.Equal(0, run.Code);
        Assert.Contains("· first: never ran\n✓ first  ", run.Errors);
        Assert.DoesNotContain('\u001b', run.Errors);
        Assert.DoesNotContain('\r', run.Errors);
        Assert.Equal("", project.Run("run", "-q").Errors);
    }

    [Fact]
    public void With_json_each_event_is_a_line_and_the_document_stands_alone()
    {
        Write("true");
        var run = project.Run("run", "--json");
        Assert.Equal(3, run.Json.GetProperty("stages").GetArrayLength());
        Assert.Equal(
            ["run-started", "phase", "stages-planned", "stage-started", "stage-progressed", "stage-ended", "stage-started", "stage-ended", "stage-started", "stage-ended", "run-ended"],
            Events(run).Select(what => what.GetProperty("event").GetString()));
        Assert.All(Events(run), what => Assert.Equal(run.Json.GetProperty("run").GetString(), what.GetProperty("run").GetString()));
        Assert.Equal(3, Events(project.Run("run", "--json"))[^1].GetProperty("cached").GetInt32());
        Assert.Equal("", project.Run("run", "--json", "-q").Errors);
    }

    [Fact]
    public void A_failure_is_an_event_too_and_the_faults_stay_in_the_document()
    {
        Write("exit 3");
        var run = project.Run("run", "--json");
        Assert.Equal(2, run.Code);
        var failed = Assert.Single(Events(run), what => what.GetProperty("event").GetString() == "stage-failed");
        Assert.Equal("stage-failed", failed.GetProperty("faults")[0].GetProperty("code").GetString());
        Assert.Equal("stage-failed", run.Json.GetProperty("faults")[0].GetProperty("code").GetString());
        var last = Events(run)[^1];
        Assert.Equal(("run-ended", 2, 1), (last.GetProperty("event").GetString(), last.GetProperty("exit").GetInt32(), last.GetProperty("failed").GetInt32()));
    }

    /// <param name="wait">What the first stage does between its progress and its output.</param>
    private void Write(string wait) => File.WriteAllText(project.PathOf("slipway.yaml"), Spec.Replace("WAIT", wait));

    private static List<JsonElement> Events(Ended run) => [.. run.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>A terminal of tmux's with a shell in it, on a server of its own.</summary>
    private sealed class Terminal : IDisposable
    {
        private readonly string socket;

        private Terminal(string socket) => this.socket = socket;

        public static Terminal Open(TinyProject project, int width, int height)
        {
            if (!File.Exists("/usr/bin/tmux"))
                Assert.Skip("tmux is not installed: scripts/setup tests");
            var terminal = new Terminal(Path.Combine(project.Home, "tmux"));
            // A shell without the user's own settings, whose prompt is known.
            terminal.Ask(
                ["-f", "/dev/null", "-u", "new-session", "-d", "-x", $"{width}", "-y", $"{height}", "-c", project.Folder,
                    $"env -u XDG_CONFIG_HOME HOME={project.Home} TERM=screen-256color LC_ALL=C.UTF-8 PS1='> ' /bin/sh"]);
            return terminal;
        }

        public void Type(string arguments) => Press($"clear; '{RepositoryRoot.Slipway}' {arguments}; echo left with $?", "Enter");

        public void Press(params string[] keys) => Ask(["send-keys", .. keys]);

        public string Ask(string format) => Ask(["display-message", "-p", format]).Trim();

        /// <summary>The screen, once it is as wanted.</summary>
        public string Until(Func<string, bool> isThere)
        {
            for (var started = Stopwatch.GetTimestamp(); ; Thread.Sleep(50))
            {
                var text = Ask(["capture-pane", "-p"]);
                if (isThere(text))
                    return text;
                Assert.True(Stopwatch.GetElapsedTime(started) < atMost, text);
            }
        }

        public void Dispose() => Ask(["kill-server"]);

        private string Ask(string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo("/usr/bin/tmux", ["-S", socket, .. arguments]) { RedirectStandardOutput = true })!;
            var said = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return said;
        }
    }
}
