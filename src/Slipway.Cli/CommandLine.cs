using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Slipway.Cli.Verbs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>The command tree and what surrounds every verb: global options, Ctrl-C, faults, exit codes.</summary>
internal static class CommandLine
{
    /// <summary>What shells report for a process ended by SIGINT; not a verdict, so not in the table of exit codes.</summary>
    public const int Interrupted = 130;

    private static readonly (string Name, Func<GlobalOptions, Command> Build)[] Verbs =
    [
        ("run", RunVerb.Build),
        ("check", CheckVerb.Build),
        ("status", StatusVerb.Build),
        ("dag", DagVerb.Build),
        ("runs", RunsVerb.Build),
        ("lock", LockVerb.Build),
        ("verify", VerifyVerb.Build),
        ("sign", SignVerb.Build),
        ("attest", AttestVerb.Build),
        ("inspect", InspectVerb.Build),
        ("unpack", UnpackVerb.Build),
        ("diff", DiffVerb.Build),
        ("lineage", LineageVerb.Build),
        ("serve", ServeVerb.Build),
        ("push", PushVerb.Build),
        ("pull", PullVerb.Build),
        ("copy", CopyVerb.Build),
        ("tag", TagVerb.Build),
        ("untag", UntagVerb.Build),
        ("tags", TagVerb.BuildList),
        ("models", ModelsVerb.Build),
        ("promote", PromoteVerb.Build),
        ("approve", PromoteVerb.BuildApprove),
        ("reject", PromoteVerb.BuildReject),
        ("release", ReleaseVerb.Build),
        ("rollback", RollbackVerb.Build),
        ("history", HistoryVerb.Build),
        ("alerts", AlertsVerb.Build),
        ("incidents", IncidentsVerb.Build),
        ("webhooks", WebhooksVerb.Build),
        ("policy", PolicyVerb.Build),
        ("up", UpVerb.Build),
        ("server", ServerVerb.Build),
        ("gateway", GatewayVerb.Build),
        ("login", LoginVerb.Build),
        ("access", AccessVerb.Build),
        ("audit", AuditVerb.Build),
        ("ci", CiVerb.Build),
        ("keys", KeysVerb.Build),
        ("gc", GcVerb.Build),
        ("doctor", DoctorVerb.Build),
        ("schema", SchemaVerb.Build),
        ("judge", JudgeVerb.Build),
        ("labels", LabelsVerb.Build),
        ("monitor", MonitorVerb.Build),
        ("replay", ReplayVerb.Build),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new GlobalOptions();
        var root = new RootCommand("Takes a model from a training script to production traffic, and can prove every step.");
        options.AddTo(root);
        // A known verb needs its own branch of the tree only; building the others would cost every start.
        var known = Verbs.Where(verb => args.Contains(verb.Name)).ToArray();
        foreach (var (_, build) in known.Length == 1 ? known : Verbs)
            root.Subcommands.Add(build(options));

        var parsed = root.Parse(args);
        var shell = options.ShellHere(parsed);
        // Help for a verb that nobody knows would look like an answer.
        if (parsed.Action is HelpAction ? parsed.UnmatchedTokens.Count > 0 : parsed.Errors.Count > 0 || Misspelt(parsed).Any())
            return shell.Report(Misread(parsed));
        try
        {
            shell = options.Shell(parsed);
        }
        catch (SlipwayException e)
        {
            return shell.Report(e);
        }

        using var stopping = new CancellationTokenSource();
        using var interrupt = Stop(PosixSignal.SIGINT, stopping);
        using var terminate = Stop(PosixSignal.SIGTERM, stopping);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stopping.Token);
        }
        catch (SlipwayException e)
        {
            return shell.Report(e);
        }
        catch (TypeInitializationException e) when (e.GetBaseException() is SlipwayException cause)
        {
            return shell.Report(cause);     // such as an engine that is not installed, which its first use loads
        }
        catch (OperationCanceledException e) when (e is PromptInterruptedException || stopping.IsCancellationRequested)
        {
            shell.Note("stopped; what had finished is kept, and the same command goes on from there");
            return Interrupted;
        }
        catch (Exception e)
        {
            return shell.ReportBug(e);
        }
    }

    private static PosixSignalRegistration Stop(PosixSignal signal, CancellationTokenSource stopping) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            // The first one ends politely; the next one has the system's own effect.
            context.Cancel = !stopping.IsCancellationRequested;
            stopping.Cancel();
        });

    /// <summary>Options that nobody knows, which the parser takes for the value of an argument.</summary>
    private static IEnumerable<string> Misspelt(ParseResult parsed) =>
        parsed.Tokens.Where(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal)).Select(token => token.Value);

    private static SlipwayException Misread(ParseResult parsed)
    {
        var names = parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options)
            .SelectMany(option => option.Aliases.Append(option.Name))
            .Concat(Verbs.Select(verb => verb.Name))
            .Concat(parsed.CommandResult.Command.Subcommands.Select(command => command.Name))
            .ToArray();
        var help = $"see {string.Join(' ', parsed.CommandResult.Command.Parents.OfType<Command>().Reverse().Append(parsed.CommandResult.Command).Select(command => command.Name))} --help";
        var unmatched = parsed.UnmatchedTokens.Concat(Misspelt(parsed)).Distinct().ToArray();
        var faults = unmatched.Length > 0
            ? unmatched.Select(token => new Fault("unknown-argument", $"'{token}' is not known here", Help: NearestName.Of(token, names) is { } near ? $"did you mean {near}?" : help))
            : parsed.Errors.Select(error => new Fault("bad-argument", Plain(error.Message.TrimEnd('.')), Help: help));
        return new SlipwayException(ExitCode.UnusableInput, faults.ToArray());
    }

    /// <summary>The parser names types of its language where a number is no number, and lists choices over several lines.</summary>
    private static string Plain(string message)
    {
        if (message.IndexOf(" as expected type", StringComparison.Ordinal) is > 0 and var end)
            return message[..end] + (message.Contains("System.Double", StringComparison.Ordinal) ? ": a number such as 0.001 is expected" : ": a whole number is expected");
        const string Unknown = " not recognized. Must be one of:";
        if (message.IndexOf(Unknown, StringComparison.Ordinal) is > 0 and var known && message.StartsWith("Argument '", StringComparison.Ordinal))
        {
            var given = message["Argument '".Length..known].TrimEnd('\'');
            var choices = message[(known + Unknown.Length)..].Split(['\n', '\t', '\'', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return $"'{given}' is not allowed here, allowed {string.Join(", ", choices)}{(NearestName.Of(given, choices) is { } near ? $"; did you mean {near}?" : "")}";
        }

        return message;
    }
}
