using System.Collections.Immutable;
using Slipway.Documents.Charts;
using Slipway.Documents.Checks;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Pipeline.Sealing;
using Slipway.Pipeline.Snapshots;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Checks;

/// <summary>The quick path for a pull request: spec, lock, expectations, stages, evaluation and model, on samples of the data; all findings, not the first.</summary>
/// <remarks>Seals, signs and attests nothing and needs no key. What could not be checked is an error, never a pass.</remarks>
/// <param name="observe">Told what happens, one at a time.</param>
public sealed class CheckRun(ProjectFolder project, CheckOptions options, Action<PipelineEvent> observe)
{
    private readonly CheckFolder folder = new(project);
    private readonly Findings findings = new(options.Stages.Clock);

    /// <returns>What was found; a spec that cannot be used is a finding too.</returns>
    /// <exception cref="SlipwayException">The project's state cannot be written (exit 3).</exception>
    public async Task<CheckReport> RunAsync(CancellationToken cancellation)
    {
        var started = options.Stages.Clock.GetTimestamp();
        var spec = findings.Of(
            CheckGroup.Spec, project.SpecFile, () => SpecParser.Load(project.Root, project.SpecFile), spec => $"{CountText.Some(spec.Stages.Length, "stage")}, {CountText.Some(spec.Data.Count, "dataset")}");
        if (spec is null)
        {
            foreach (var group in new[] { CheckGroup.Lock, CheckGroup.Data, CheckGroup.Stages, CheckGroup.Model })
                findings.Skipped(group, group.Word(), "the spec cannot be used");
            return Report(null, [], [], null);
        }

        // Two checks of one project use one cache, so one waits for the other.
        using var held = await RunLock.TakeAsync(folder.Project, () => observe(new Remark("another check is under way in this project; waiting for it to end")), cancellation);
        ForgetRuns();
        observe(new PhaseStarted("looking at the data and the environment"));
        var index = DigestIndex.Open(project.DigestIndex, options.Stages.Clock);
        var reading = new TableReading { Index = index, CacheFolder = project.Tables, ScratchFolder = folder.Project.Scratch };
        var (inputs, failures) = ResolvedInputs.Look(spec, project, reading, options.Stages.Clock, cancellation);
        Lock(spec, inputs, failures);
        var samples = Sample(spec, inputs, failures, reading, cancellation);
        index.Save();

        new CheckedExpectations(project, findings, observe).Judge(spec, samples, SampleReading(samples.Index), cancellation);
        var stages = await new CheckedStages(folder, held, options, findings, observe).RunAsync(spec, inputs, samples, cancellation);
        var made = new CheckedModel(folder, options, findings, observe);
        var evaluation = made.Evaluate(spec, stages, samples, cancellation);
        await made.TryAsync(spec, stages, samples, new ProjectFiles(folder.Project.Root, samples.Index), cancellation);
        samples.Index.Save();
        return Report(spec.Name, samples.Summary, [.. stages.Select(stage => new CheckedStage(stage.Name, stage.Source, stage.Seconds))], evaluation);

        CheckReport Report(string? name, ImmutableArray<DatasetSample> sampled, ImmutableArray<CheckedStage> ran, Documents.Evaluations.Evaluation? figures) =>
            new(name, options.Stages.Clock.GetElapsedTime(started).TotalSeconds, findings.All, sampled, ran, figures);
    }

    private TableReading SampleReading(DigestIndex index) =>
        new() { Index = index, CacheFolder = folder.Project.Tables, ScratchFolder = folder.Project.Scratch, Threads = options.Threads };

    /// <summary>The logs of the latest check are kept, and no other's.</summary>
    private void ForgetRuns()
    {
        if (!Directory.Exists(folder.Project.Runs))
            return;
        foreach (var run in Directory.EnumerateDirectories(folder.Project.Runs).ToList())
            StageFolder.Delete(run);
    }

    private void Lock(Spec spec, ResolvedInputs inputs, IReadOnlyList<SlipwayException> failures)
    {
        var elsewhere = failures.SelectMany(failure => failure.Faults).Where(fault => !spec.Data.Values.Any(dataset => IsAt(fault, dataset))).ToList();
        if (failures.Count > 0)
        {
            var missing = new Fault("inputs-missing", "not everything that it pins could be looked at: see the data below", project.LockName);
            findings.NotChecked(CheckGroup.Lock, project.LockName, elsewhere.Count > 0 ? elsewhere : [missing]);
            return;
        }

        findings.Of(CheckGroup.Lock, project.LockName, Differences, _ => "every pin holds");

        ResolvedInputs Differences()
        {
            const string help = "`slipway lock` accepts what is there now; commit it with what changed it";
            var resolution = inputs.Against(spec, project);
            var faults = resolution.Differences.Select(difference => new Fault("lock-differs", difference.Message, project.LockName, Help: help)).ToList();
            if (resolution.Pinned is null)
                faults.Add(new Fault("no-lock", $"there is no {project.LockName}", Help: "`slipway lock` writes it; commit it beside the spec"));
            return faults.Count == 0 ? inputs : throw new SlipwayException(ExitCode.UnusableInput, faults);
        }
    }

    private static bool IsAt(Fault fault, DatasetSpec dataset) => fault.File == dataset.At.File && fault.Line == dataset.At.Line;

    private CheckSamples Sample(Spec spec, ResolvedInputs inputs, IReadOnlyList<SlipwayException> failures, TableReading reading, CancellationToken cancellation)
    {
        observe(new PhaseStarted("sampling the data"));
        var sampler = new DatasetSampler(folder.Samples, reading);
        var taken = new Dictionary<string, TakenSample>(StringComparer.Ordinal);
        foreach (var dataset in spec.Data.Values)
        {
            if (!inputs.Data.TryGetValue(dataset.Name, out var whole))
            {
                var faults = failures.SelectMany(failure => failure.Faults).Where(fault => IsAt(fault, dataset)).ToList();
                findings.NotChecked(CheckGroup.Data, dataset.Name, faults.Count > 0 ? faults : [dataset.At.Fault("missing-data", $"{dataset.Name} could not be looked at")]);
            }
            else if (findings.Of(CheckGroup.Data, dataset.Name, () => sampler.Sample(dataset.Sample, whole, cancellation), sample => Said(dataset, whole, sample)) is { } sample)
            {
                taken[dataset.Name] = sample;
            }
        }

        sampler.Forget(taken.Values.Select(sample => sample.Key).OfType<string>().ToHashSet());
        var links = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, sample) in taken)
        {
            foreach (var (file, source) in DatasetPlace.Of(spec.Data[name]).Files(project.Root, inputs.Data[name].Snapshot).Zip(sample.Files))
                links[file.Path] = source;
        }

        foreach (var file in Declared(spec, reading.Index))
            links.TryAdd(file, Path.Combine(project.Root, file));
        folder.Fill(links, spec.Stages.SelectMany(stage => stage.Outputs.Values));

        var index = DigestIndex.Open(folder.Project.DigestIndex, options.Stages.Clock);
        var snapshots = new SortedDictionary<string, CheckSample>(StringComparer.Ordinal);
        foreach (var (name, sample) in taken)
        {
            try
            {
                var inTree = SnapshotTaker.Take(spec.Data[name], folder.Project.Root, SampleReading(index), cancellation);
                snapshots[name] = new CheckSample(inTree, inputs.Data[name].Snapshot, sample.Whole);
            }
            catch (SlipwayException failure)
            {
                findings.Bad(CheckGroup.Data, $"{name}: its sample", failure.Faults, failure.Exit);
            }
        }

        return new CheckSamples(snapshots.ToImmutableSortedDictionary(StringComparer.Ordinal), index);
    }

    private static string Said(DatasetSpec dataset, TakenSnapshot whole, TakenSample sample) => sample.Whole is { } why
        ? $"all {whole.Snapshot.Rows} rows: {why}"
        : $"{dataset.Sample.Rows} of {whole.Snapshot.Rows} rows, seed {dataset.Sample.Seed}";

    /// <summary>The files that stages and the served model name by path; what is missing is told by the run.</summary>
    private IEnumerable<string> Declared(Spec spec, DigestIndex index)
    {
        var files = new ProjectFiles(project.Root, index);
        var named = spec.Stages.SelectMany(stage => stage.Inputs).Concat(spec.Model?.Runtime.Inputs ?? []).Where(input => input.Kind == InputKind.Path).Select(input => input.Name)
            .Concat(spec.Stages.Select(stage => stage.Sql).OfType<string>()).Distinct();
        foreach (var name in named)
        {
            List<string> found;
            try
            {
                found = [.. files.Files(name).Select(file => file.Path)];
            }
            catch (SlipwayException)
            {
                continue;
            }

            foreach (var file in found)
                yield return file;
        }
    }
}
