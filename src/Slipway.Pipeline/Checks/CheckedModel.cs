using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Checks;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Evaluation;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Sealing;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Sandbox;
using Slipway.Store.Content;
using EvaluationDocument = Slipway.Documents.Evaluations.Evaluation;

namespace Slipway.Pipeline.Checks;

/// <summary>Evaluates the predictions on the samples, and holds the model that they gave against its signature.</summary>
internal sealed class CheckedModel(CheckFolder folder, CheckOptions options, Findings findings, Action<PipelineEvent> observe)
{
    private const string OnWhole = "gates are judged on the whole data, by slipway run";

    /// <summary>What a small sample may lack though the whole data have it.</summary>
    private static readonly string[] sampleFaults = ["one-class", "empty-predictions"];

    private readonly ProjectFolder project = folder.Project;
    private readonly ContentStore objects = new(folder.Project.Objects);

    /// <returns>Null when there is none.</returns>
    public EvaluationDocument? Evaluate(Spec spec, IReadOnlyList<StageResult> stages, CheckSamples samples, CancellationToken cancellation)
    {
        var evaluation = spec.Evaluate is { } evaluate ? Evaluate(spec, evaluate, stages, samples, cancellation) : null;
        foreach (var gate in spec.Gates)
            findings.Skipped(CheckGroup.Gates, gate.Name, OnWhole);
        return evaluation;
    }

    private EvaluationDocument? Evaluate(Spec spec, EvaluateSpec evaluate, IReadOnlyList<StageResult> stages, CheckSamples samples, CancellationToken cancellation)
    {
        if (Output(stages, evaluate.Predictions) is not { } predictions)
        {
            findings.Skipped(CheckGroup.Evaluation, evaluate.Predictions, "its stage did not end well");
            return null;
        }

        observe(new PhaseStarted("evaluating"));
        var started = options.Stages.Clock.GetTimestamp();
        try
        {
            var found = StageTable.Read(project, spec.PathOf(evaluate.Predictions)!, predictions.Digest, table =>
                Evaluator.Evaluate(evaluate, spec.Determinism.Seed, table, predictions.Digest, project.Scratch, options.Threads, cancellation)).Evaluation;
            var figures = string.Join(", ", found.Metrics.Select(metric => string.Create(CultureInfo.InvariantCulture, $"{metric.Key} {metric.Value.Value:0.####}")));
            var on = samples.AreWhole ? "the whole data" : "the sample";
            findings.Passed(CheckGroup.Evaluation, evaluate.Predictions, $"on {on}, {found.Rows} predictions: {figures}", options.Stages.Clock.GetElapsedTime(started).TotalSeconds);
            return found;
        }
        catch (SlipwayException failure) when (!samples.AreWhole && failure.Faults.All(fault => sampleFaults.Contains(fault.Code)))
        {
            findings.Skipped(CheckGroup.Evaluation, evaluate.Predictions, $"the sample is too small to evaluate: {failure.Faults[0].Message}");
        }
        catch (SlipwayException failure)
        {
            findings.Bad(CheckGroup.Evaluation, evaluate.Predictions, failure.Faults, failure.Exit, options.Stages.Clock.GetElapsedTime(started).TotalSeconds);
        }

        return null;
    }

    /// <param name="files">Of the check's own project.</param>
    public async Task TryAsync(Spec spec, IReadOnlyList<StageResult> stages, CheckSamples samples, ProjectFiles files, CancellationToken cancellation)
    {
        if (spec.Model is not { } model)
        {
            findings.Skipped(CheckGroup.Model, "signature", "the spec has no model");
            return;
        }

        if (model.Reference is { } reference && (reference.Kind != InputKind.Dataset || samples.ByDataset.ContainsKey(reference.Name)))
            findings.Of(CheckGroup.Model, $"reference {reference.Name}", () => Check(spec, samples), _ => null);
        if (Output(stages, model.Artifact) is not { } artifact)
        {
            findings.Skipped(CheckGroup.Model, "signature", $"there is no model: {model.Artifact}'s stage did not end well");
            return;
        }

        observe(new PhaseStarted("trying the model"));
        var started = options.Stages.Clock.GetTimestamp();
        try
        {
            using var scratch = ScratchFolder.Make();
            var trial = Unpack(spec, model, artifact, files, scratch.Path);
            var host = new HostOptions { StateFolder = Path.Combine(project.State, "hosts"), Time = options.Stages.Clock };
            Tell(spec, model, await SmokeTest.RunAsync(trial, host, cancellation));
        }
        catch (Exception e) when ((e as SlipwayException ?? AtomicFile.Explain(e, project.State)) is { } failure)
        {
            var path = spec.PathOf(model.Artifact);
            var faults = failure.Faults.Select(fault => fault.File is null ? model.At.Fault(fault.Code, fault.Message, fault.Help) : fault with { File = path }).ToList();
            findings.Bad(CheckGroup.Model, "start", faults, failure.Exit, options.Stages.Clock.GetElapsedTime(started).TotalSeconds);
        }
    }

    private static Spec Check(Spec spec, CheckSamples samples)
    {
        ReferenceProfiler.CheckBefore(spec, samples.ByDataset.ToDictionary(sample => sample.Key, sample => sample.Value.Taken with { Snapshot = sample.Value.Of }));
        return spec;
    }

    private static void Tell(SmokeResult result, ModelSpec model, Findings findings)
    {
        Fault Fault(string code) => model.At.Fault(code, $"{result.Request}: {result.Reason}", "correct the model or, where it is right, model.signature");
        switch (result.Verdict)
        {
            case SmokeVerdict.Answered or SmokeVerdict.Refused:
                findings.Passed(CheckGroup.Model, result.Request, null, result.Seconds);
                break;
            case SmokeVerdict.Failed:
                findings.Bad(CheckGroup.Model, result.Request, [Fault("signature-broken")], ExitCode.UnusableInput, result.Seconds);
                break;
            case SmokeVerdict.Inconclusive:
                findings.Skipped(CheckGroup.Model, result.Request, $"a text, or a number without a range, may be one that the model rightly refuses: {result.Reason}");
                break;
            default:
                findings.NotChecked(CheckGroup.Model, result.Request, [Fault("model-not-asked")]);
                break;
        }
    }

    private void Tell(Spec spec, ModelSpec model, ImmutableArray<SmokeResult> results)
    {
        foreach (var result in results)
            Tell(result, model, findings);
        // Each may be rightly refused; all of them tell that nothing was tried.
        if (!results.Any(result => result.Verdict is SmokeVerdict.Answered or SmokeVerdict.Failed))
        {
            const string help = "give the inputs ranges, or see in its reasons what it wants";
            findings.NotChecked(CheckGroup.Model, "any answer", [model.At.Fault("model-not-tried", $"{spec.Name} answered none of the generated requests, so nothing is known of it", help)]);
        }
    }

    /// <summary>The model, and the code that it declares, as they lie after a bundle is unpacked.</summary>
    private TrialModel Unpack(Spec spec, ModelSpec model, Artifact artifact, ProjectFiles files, string root)
    {
        var code = Path.Combine(root, "code");
        AtomicFile.CreateFolder(code);
        var now = options.Stages.Clock.GetUtcNow().UtcDateTime;
        foreach (var file in model.Runtime.Inputs.SelectMany(input => files.Files(input.Name)))
        {
            var target = Path.Combine(code, file.Path);
            AtomicFile.CreateFolder(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(project.Root, file.Path), target);
        }

        var place = Path.Combine(root, "model", Path.GetFileName(spec.PathOf(model.Artifact)!.TrimEnd('/')));
        AtomicFile.CreateFolder(Path.GetDirectoryName(place)!);
        if (artifact.Kind != ArtifactKind.Folder)
        {
            objects.CopyTo(artifact.Digest, place, artifact.Kind == ArtifactKind.Program, now);
        }
        else
        {
            foreach (var file in objects.ReadTree(artifact.Digest).Files)
            {
                var target = Path.Combine(place, file.Path);
                AtomicFile.CreateFolder(Path.GetDirectoryName(target)!);
                objects.CopyTo(file.Digest, target, file.Executable, now);
            }
        }

        return new TrialModel(spec.Name, artifact.Digest, code, place, model.Signature, model.Runtime);
    }

    private static Artifact? Output(IEnumerable<StageResult> stages, string reference)
    {
        var (stage, output) = StageSpec.Split(reference);
        return stages.FirstOrDefault(result => result.Name == stage)?.Outputs.GetValueOrDefault(output);
    }
}
