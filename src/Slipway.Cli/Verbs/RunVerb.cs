using System.Collections;
using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using Slipway.Documents.Runs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Secrets;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Processes;
using Slipway.Runtime.Hardware;
using Slipway.Trust.Signing;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway run [STAGE]</c>.</summary>
internal static class RunVerb
{
    public static Command Build(GlobalOptions global)
    {
        var stage = new Argument<string?>("stage") { Description = "Run only this stage and what it needs, and seal nothing", Arity = ArgumentArity.ZeroOrOne };
        var force = new Option<bool>("--force") { Description = "Run every stage, whether its outputs are known or not" };
        var keepGoing = new Option<bool>("--keep-going") { Description = "After a failed stage, still run what does not depend on it" };
        var jobs = new Option<int>("--jobs") { Description = "Stages at a time", HelpName = "N", DefaultValueFactory = _ => 1 };
        jobs.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number is < 1 or > RunOptions.MostJobs))
                result.AddError($"--jobs is {result.Tokens[0].Value}, allowed 1 to {RunOptions.MostJobs}");
        });
        var secretCommand = new Option<string?>("--secret-command") { Description = "Program that answers the value of a secret, whose name is its last argument; asked where neither a variable nor a file of $SLIPWAY_SECRETS has it", HelpName = "CMD" };
        var signer = new SignerOptions();
        var verb = new Command("run", "Snapshots and validates the data, runs the stages, evaluates, seals and gates.\nExample: slipway run") { stage, force, keepGoing, jobs, secretCommand };
        signer.AddTo(verb);
        var isolation = new IsolationOption();
        isolation.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            return RunAsync(global.Shell(parsed), parsed.GetValue(stage), Stages, shell => signer.Open(parsed, shell), cancellation);

            RunOptions Stages(RunOptions run) => run with
            {
                Force = parsed.GetValue(force),
                KeepGoing = parsed.GetValue(keepGoing),
                Jobs = parsed.GetValue(jobs),
                Isolation = isolation.Read(parsed),
                Secrets = Secrets(parsed.GetValue(secretCommand), global.Shell(parsed).Folder),
            };
        });
        return verb;
    }

    private static ImmutableDictionary<string, string> Variables() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToImmutableDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);

    private static SecretSource Secrets(string? command, string folder)
    {
        var variables = Variables();
        return new SecretSource
        {
            Environment = variables,
            Folder = variables.GetValueOrDefault(SecretSource.FolderVariable) is { Length: > 0 } named ? Path.GetFullPath(named, folder) : null,
            Command = command ?? (variables.GetValueOrDefault(SecretSource.CommandVariable) is { Length: > 0 } standing ? standing : null),
            Withheld = [SignCommand.KeyVariable, SignCommand.PassphraseVariable],
        };
    }

    private static async Task<int> RunAsync(Shell shell, string? stage, Func<RunOptions, RunOptions> asked, Func<Shell, ISigner> open, CancellationToken cancellation)
    {
        var spec = shell.LoadSpec();
        // Before an hour of training, not after it; a run that seals nothing needs none.
        var key = stage is null && spec.Model is not null ? open(shell) : null;
        using var closed = key as IDisposable;
        var clock = TimeProvider.System;
        using var progress = new RunProgress(shell, clock);
        var options = new PipelineOptions
        {
            Stages = asked(new RunOptions
            {
                RunId = RunRecord.NewId(clock.GetUtcNow(), BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(4))),
                SqlProgram = ChildCommand.ThisProgram(SqlStageVerb.Name),
                UpTo = stage,
                Host = HostCapacity.Read(),
                Clock = clock,
            }),
            Trusted = TrustOptions.Of([]).Policy,
            Builder = $"https://slipway.dev/builder/local/v1#{Uri.EscapeDataString(Environment.MachineName)}",
            ToolVersion = Program.Version,
            Environment = Variables(),
        };
        var account = await new PipelineRun(spec, shell.Project, key, options, progress.Show).RunAsync(cancellation);
        progress.Dispose();
        if (shell.Json)
            shell.WriteJson(RunReport.ToJson(account));
        else
            RunReport.Write(shell, spec, account);
        return (int)(account.IsGood ? ExitCode.Done : ExitCode.BadVerdict);
    }
}
