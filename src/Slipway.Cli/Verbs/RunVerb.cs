using System.CommandLine;
using System.Text;
using Slipway.Documents.Specs;
using Slipway.Pipeline;
using Slipway.Pipeline.Execution;
using Slipway.Primitives.Faults;
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
        var jobs = new Option<int>("--jobs", "-j") { Description = "Commands at a time", HelpName = "N", DefaultValueFactory = _ => 1 };
        jobs.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number is < 1 or > RunOptions.MostJobs))
                result.AddError($"--jobs is {result.Tokens[0].Value}, allowed 1 to {RunOptions.MostJobs}");
        });
        var signer = new SignerOptions();
        var verb = new Command("run", "Snapshots and validates the data, runs the stages, evaluates, seals and gates.\nExample: slipway run") { stage, force, keepGoing, jobs };
        signer.AddTo(verb);
        var running = new StageOptions();
        running.AddTo(verb);
        var cache = new CacheOption(mayPush: true);
        cache.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var shell = global.Shell(parsed);
            var question = PlainQuestion.Of([.. parsed.Tokens.Select(token => token.Value)]);
            return RunAsync(shell, question, parsed.GetValue(stage), Asked, () => signer.Open(parsed, shell), spec => cache.Place(parsed, shell, spec), cache.Pushes(parsed), cancellation);

            RunOptions Asked(TimeProvider clock) => running.Read(parsed, shell, clock) with { UpTo = parsed.GetValue(stage), Force = parsed.GetValue(force), KeepGoing = parsed.GetValue(keepGoing), Jobs = parsed.GetValue(jobs) };
        });
        return verb;
    }

    private static async Task<int> RunAsync(Shell shell, PlainQuestion? question, string? stage, Func<TimeProvider, RunOptions> asked, Func<ISigner> open, Func<Spec, CachePlace?> cache, bool pushes, CancellationToken cancellation)
    {
        var clock = TimeProvider.System;
        var began = RememberedAnswer.Now(clock);
        var spec = shell.LoadSpec();
        var place = cache(spec);
        pushes &= place is not null;
        // Before an hour of training, not after it; a run that seals nothing and shares nothing needs none.
        var key = (stage is null && spec.Model is not null) || pushes ? open() : null;
        using var closed = key as IDisposable;
        var trust = TrustOptions.Of([]);
        using var shared = place is null ? null : await CacheOption.OpenAsync(shell, place, trust.Policy, pushes ? key : null, clock, cancellation);
        var stages = asked(clock) with { Shared = shared };
        using var progress = new RunProgress(shell, clock, stages.RunId, cancellation);
        var options = new PipelineOptions
        {
            Stages = stages,
            Trusted = trust.Policy,
            Builder = $"https://slipway.dev/builder/local/v1#{Uri.EscapeDataString(Environment.MachineName)}",
            ToolVersion = Program.Version,
            Environment = StageOptions.Variables(),
        };
        var remarks = new List<Remark>();
        var account = await progress.UntilEndAsync(new PipelineRun(spec, shell.Project, key, options, Show).RunAsync(cancellation), Exit);
        if (shell.Json)
            shell.WriteJson(RunReport.ToJson(account));
        else
            RunReport.Write(shell, spec, account);
        // A policy may depend on the time, and a shared cache that cannot be opened now may be there the next time.
        if (question is not null && trust.File is null && (shared is not null || place is null) && !remarks.Any(remark => remark.IsPassing) && account.RestsOn() is { } footprint)
            Remember(shell, question, footprint.AddRange(KeyFolder.Footprint()), began, spec, account, remarks);
        return (int)Exit(account);

        void Show(PipelineEvent what)
        {
            if (what is Remark remark)
                remarks.Add(remark);
            progress.Show(what);
        }
    }

    private static void Remember(Shell shell, PlainQuestion question, IEnumerable<string> footprint, long began, Spec spec, RunAccount account, List<Remark> remarks)
    {
        // Events in JSON tell the time, so that they are never the same.
        var answer = new Answer(Said(to => remarks.ForEach(remark => to.WriteLine(RunLines.Of(remark)))), Report(isColoured: false), Report(isColoured: true), [], (int)Exit(account));
        RememberedAnswer.Save(question, footprint, began, answer);

        byte[] Report(bool isColoured) => Said(to => RunReport.Write(shell with { Out = to, Colour = isColoured }, spec, account, isRepeated: true));

        static byte[] Said(Action<PrintableWriter> say)
        {
            using var text = new StringWriter();
            using var to = new PrintableWriter(text);
            say(to);
            return Encoding.UTF8.GetBytes(text.ToString());
        }
    }

    private static ExitCode Exit(RunAccount account) => account.IsGood ? ExitCode.Done : ExitCode.BadVerdict;
}
