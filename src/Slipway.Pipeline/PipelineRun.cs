using System.Collections.Immutable;
using Slipway.Documents.Bom;
using Slipway.Documents.Bundles;
using Slipway.Documents.Datasets;
using Slipway.Documents.Gates;
using Slipway.Documents.Lineage;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Documents.Statements;
using Slipway.Pipeline.Evaluation;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Plan;
using Slipway.Pipeline.Sealing;
using Slipway.Pipeline.Snapshots;
using Slipway.Pipeline.Validation;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Runtime.Environments;
using Slipway.Runtime.ModelHosts;
using Slipway.Store.Content;
using Slipway.Store.Oci;
using Slipway.Trust.Attestations;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;
using Slipway.Trust.Verification;

namespace Slipway.Pipeline;

/// <summary>One way through: snapshot, validate, lock, run the stages, evaluate, seal, gate. The left of ‖ in one story.</summary>
/// <param name="key">Signs the statements about the bundle; null only where none is sealed.</param>
/// <param name="observe">Told what happens, one at a time.</param>
/// <remarks>
/// Each step leaves an immutable document before the next begins, so a run that ends anywhere is taken up by the next one.
/// One at a time in a project: the run lock is held throughout.
/// </remarks>
public sealed class PipelineRun(Spec spec, ProjectFolder project, ISigner? key, PipelineOptions options, Action<PipelineEvent> observe)
{
    private readonly RunOptions stages = options.Stages;
    private readonly List<StageResult> ended = [];

    /// <exception cref="SlipwayException">The input is unusable (exit 2), or something is missing (exit 3). A bad verdict is no exception: see <see cref="RunAccount.IsGood"/>.</exception>
    public async Task<RunAccount> RunAsync(CancellationToken cancellation)
    {
        _ = ExecutionPlan.Of(spec, stages.UpTo);     // its faults are told before anything is waited for or written
        using var held = await RunLock.TakeAsync(project, () => observe(new Remark("another run is under way in this project; waiting for it to end") { IsPassing = true }), cancellation);
        var record = RunRecord.Begin(stages.RunId, stages.Clock.GetUtcNow());
        record.Write(project);
        var index = DigestIndex.Open(project.DigestIndex, stages.Clock);
        try
        {
            var account = await RunAsync(held, index, record.Started, cancellation);
            record = Outcome(record, account);
            return account;
        }
        catch (SlipwayException failure)
        {
            record = record with { State = RunState.Failed, Faults = [.. failure.Faults], Stages = Ended() };
            throw;
        }
        catch (OperationCanceledException)
        {
            record = record with { State = RunState.Cancelled, Stages = Ended() };
            throw;
        }
        catch (Exception bug)
        {
            record = record with { State = RunState.Failed, Faults = [new Fault("bug", $"{bug.GetType().Name}: {bug.Message}")] };
            throw;
        }
        finally
        {
            index.Save();
            Close(record with { Finished = stages.Clock.GetUtcNow() });
        }
    }

    private void Note(RunEvent what)
    {
        if (what is StageEnded { Result: var result })
            ended.Add(result);
        observe(new StageProgress(what));
    }

    /// <summary>What ended well before the run did not, in plan order.</summary>
    private ImmutableArray<StageResult> Ended() =>
        [.. ExecutionPlan.Of(spec, stages.UpTo).Stages.Select(planned => ended.Find(result => result.Name == planned.Stage.Name)).OfType<StageResult>()];

    private void Close(RunRecord record)
    {
        try
        {
            record.Write(project);
        }
        catch (SlipwayException) when (record.State != RunState.Succeeded)
        {
            // A disk that is full has ended the run already: that message, with the stage's log, is the one to tell.
        }
    }

    private async Task<RunAccount> RunAsync(RunLock held, DigestIndex index, DateTimeOffset started, CancellationToken cancellation)
    {
        observe(new PhaseStarted("looking at the data and the environment"));
        var reading = new TableReading { Index = index, CacheFolder = project.Tables, ScratchFolder = project.Scratch, Threads = options.Threads };
        var inputs = ResolvedInputs.Of(spec, project, reading, stages.Clock, cancellation);
        var snapshots = inputs.Data.Values.Select(taken => taken.Snapshot).ToImmutableArray();
        var account = new RunAccount(stages.RunId, snapshots, Validate(inputs, reading, cancellation), [.. inputs.Environments.Values], [], null, null, null, null);
        if (!account.DataAreValid)
            return account;

        var pins = inputs.Against(spec, project);
        pins.RequirePinnedData(project.LockName);
        foreach (var warning in pins.Warnings)
            observe(new Remark(warning.Message));
        if (pins.ToWrite is { } content)
            ProjectLockFile.Write(project, content);
        ReferenceProfiler.CheckBefore(spec, inputs.Data);

        var outcome = await new Runner(held, index, stages, Note)
            .RunAsync(spec, snapshots.ToDictionary(snapshot => snapshot.Name), inputs.Environments, cancellation);
        account = account with { Stages = outcome.Stages };
        if (stages.UpTo is not null || spec.Model is null)
            return account with { RestsOn = () => Footprint.OfRun(spec, project, inputs, account.Stages, []) };
        var signer = key ?? throw new ArgumentException("a run that seals needs a key");

        var parts = SealedStages.Of(spec);
        var sealedSpec = spec with { Stages = [.. spec.Stages.Where(stage => parts.Contains(stage.Name))] };
        outcome = outcome.Of(parts);
        var code = new SealedCode(sealedSpec, new ProjectFiles(project.Root, index), project.Root).Files(outcome);
        var seals = new SealStore(project);
        var sealKey = SealStore.KeyOf(sealedSpec, pins.Effective, outcome, code, signer.PublicKey.KeyId, options.Trusted, options.ToolVersion);
        if (!stages.Force && seals.Find(sealKey) is { } known)
        {
            foreach (var warning in known.Warnings)
                observe(new Remark(warning));
            return account with { Evaluation = known.Evaluation, Bundle = known.Bundle, Gates = known.Gates, Signer = signer.PublicKey.KeyId, RestsOn = () => Footprint.OfRun(spec, project, inputs, account.Stages, seals.PathsOf(sealKey, known)) };
        }

        await TryModelAsync(outcome, spec.Model, cancellation);
        var evaluation = Evaluate(outcome, cancellation);
        var reference = Profile(outcome, inputs, reading, cancellation);
        observe(new PhaseStarted("sealing"));
        var lineage = new LineageGraph([.. outcome.Stages.Select(stage => new LineageStage(
            stage.Name,
            stage.Key,
            stage.Inputs.ToImmutableSortedDictionary(input => input.Key, input => input.Value.Digest, StringComparer.Ordinal),
            stage.Outputs.ToImmutableSortedDictionary(output => output.Key, output => output.Value.Digest, StringComparer.Ordinal)))]);
        var request = new SealRequest(sealedSpec, pins.Effective, snapshots, lineage, outcome.Rerun, ModelFiles(outcome, spec.Model), code, evaluation?.Evaluation, evaluation?.Replicates, evaluation?.Curves, reference);
        var layout = OciLayout.Create(project.Bundles);
        var bundle = Sealer.Seal(request, layout, cancellation);
        var documents = Sealer.Documents(request);

        var gates = spec.Gates.IsEmpty || evaluation is null
            ? null
            : GateJudge.Judge(spec.Gates, new SealedEvaluation(bundle.Digest, evaluation.Evaluation, evaluation.Replicates), Baseline(pins.Effective.Baseline, cancellation));
        account = account with { Evaluation = evaluation?.Evaluation, Bundle = bundle, Gates = gates, Signer = signer.PublicKey.KeyId };
        await AttestAsync(layout, account, documents, request.Model, code, signer, started, cancellation);
        seals.Publish(sealKey, layout, bundle, evaluation?.Evaluation, gates, [.. (evaluation?.Warnings ?? []).Select(warning => warning.ToString())], stages.Clock);
        return account;
    }

    private ImmutableArray<ValidationReport> Validate(ResolvedInputs inputs, TableReading reading, CancellationToken cancellation)
    {
        var expected = spec.Data.Values.Where(dataset => dataset.Expect is not null)
            .Select(dataset => (dataset.Name, Expectations: ExpectationsParser.Load(project.Root, dataset.Expect!))).ToList();
        var reports = ImmutableArray.CreateBuilder<ValidationReport>();
        foreach (var (name, expectations) in expected)
        {
            observe(new PhaseStarted($"validating {name}"));
            reports.Add(Validator.Validate(inputs.Data[name], expectations, reading, cancellation));
        }

        return reports.ToImmutable();
    }

    /// <summary>A model that could never be served is not worth a seal.</summary>
    private async Task TryModelAsync(RunOutcome outcome, ModelSpec model, CancellationToken cancellation)
    {
        if (!model.Runtime.IsOnnx || outcome.Output(model.Artifact) is not { Kind: not ArtifactKind.Folder } artifact)
            return;
        observe(new PhaseStarted("trying the model"));
        var path = spec.PathOf(model.Artifact)!;
        try
        {
            await ModelHost.TryOnnxAsync(path, new ContentStore(project.Objects).PathOf(artifact.Digest), model.Signature, new HostOptions { StateFolder = project.State }, cancellation);
        }
        catch (SlipwayException failure)
        {
            // In the store the file is named by its digest.
            throw new SlipwayException(failure.Exit, [.. failure.Faults.Select(fault => fault with { File = fault.File is null ? null : path })], failure);
        }
    }

    private EvaluationOutcome? Evaluate(RunOutcome outcome, CancellationToken cancellation)
    {
        if (spec.Evaluate is not { } evaluate)
            return null;
        observe(new PhaseStarted("evaluating"));
        var digest = outcome.Output(evaluate.Predictions)!.Digest;
        var evaluated = WithTable(outcome, evaluate.Predictions, table => Evaluator.Evaluate(evaluate, spec.Determinism.Seed, table, digest, project.Scratch, options.Threads, cancellation));
        foreach (var warning in evaluated.Warnings)
            observe(new Remark(warning.ToString()));
        return evaluated;
    }

    private ReferenceProfile? Profile(RunOutcome outcome, ResolvedInputs inputs, TableReading reading, CancellationToken cancellation)
    {
        if (spec.Model?.Reference is not { } reference)
            return null;
        observe(new PhaseStarted("profiling the reference"));
        var profiler = new ReferenceProfiler(spec, project.Scratch, cancellation);
        if (reference.Kind == InputKind.Output)
            return WithTable(outcome, reference.Name, table => ProfileWith([table]));
        var profile = ProfileWith(inputs.Data[reference.Name].Files);
        inputs.Data[reference.Name].EnsureUnchanged(reading.Index);
        return profile;

        ReferenceProfile ProfileWith(ImmutableArray<string> table) =>
            spec.Evaluate is { } evaluate ? WithTable(outcome, evaluate.Predictions, predictions => profiler.Profile(table, predictions)) : profiler.Profile(table, null);
    }

    private T WithTable<T>(RunOutcome outcome, string output, Func<string, T> read) =>
        StageTable.Read(project, spec.PathOf(output)!, outcome.Output(output)!.Digest, read);

    private ImmutableArray<SealFile> ModelFiles(RunOutcome outcome, ModelSpec model)
    {
        var store = new ContentStore(project.Objects);
        var artifact = outcome.Output(model.Artifact)!;
        if (artifact.Kind == ArtifactKind.Folder)
            return [.. store.ReadTree(artifact.Digest).Files.Select(file => new SealFile(file.Path, file.Executable, file.Size, file.Digest, store.PathOf(file.Digest)))];
        var name = Path.GetFileName(spec.PathOf(model.Artifact)!);
        return [new SealFile(name, artifact.Kind == ArtifactKind.Program, artifact.Size, artifact.Digest, store.PathOf(artifact.Digest))];
    }

    private SealedEvaluation? Baseline(Primitives.Bytes.Digest? pinned, CancellationToken cancellation)
    {
        if (pinned is not { } digest || spec.Evaluate?.Baseline is not { } reference)
            return null;
        observe(new PhaseStarted("verifying the baseline"));
        var (layout, _) = BundleReference.Parse(reference).Resolve(project.Bundles);
        var documents = BundleDocuments.Read(BundleVerifier.Verify(layout, digest, options.Trusted, cancellation).Require(), cancellation).Require();
        return documents is { Evaluation: { } evaluation, Replicates: { } replicates }
            ? new SealedEvaluation(digest, evaluation, replicates)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("baseline-unevaluated", $"the baseline {digest} holds no evaluation", Help: "name a bundle that was evaluated, or `baseline: none`"));
    }

    /// <summary>Signs what is true of this bundle and this run; what the same key has said already is not said again.</summary>
    private async Task AttestAsync(OciLayout layout, RunAccount account, BundleDocuments documents, ImmutableArray<SealFile> model, ImmutableArray<SealFile> code, ISigner signer, DateTimeOffset started, CancellationToken cancellation)
    {
        observe(new PhaseStarted("signing"));
        var bundle = account.Bundle!.Digest;
        var now = stages.Clock.GetUtcNow();
        var known = BundleVerifier.ReadStatements(layout, bundle, TrustPolicy.AnySignature(KeyRing.Of(signer.PublicKey)), cancellation);
        // Each is looked for by itself: a run that died between two of them makes the others now.
        var made = account.Stages.Where(stage => documents.Lineage.Stages.Any(known => known.Name == stage.Name)).ToList();
        if (!known.Any(signed => Provenance.SaysAsMuch(signed.Statement, made.Min(stage => stage.Isolation))))
        {
            var source = await SourceRevision.FindAsync(project.Root, project.State, options.Environment, cancellation);
            var measured = made.Select(stage => new StageMeasurement(stage.Name, stage.Source != StageSource.Executed, stage.Seconds, stage.PeakMemory, stage.Isolation, stage.Shared?.Key)).ToImmutableArray();
            Attestation.Attach(layout, bundle, new Provenance(bundle, documents, code, source, options.Builder, options.ToolVersion, account.RunId, started, now, measured).ToStatement(), signer, cancellation);
        }

        if (documents.Evaluation is not null && !known.Any(signed => VerdictStatement.IsOfEvaluation(signed.Statement, documents)))
            Attestation.Attach(layout, bundle, VerdictStatement.OfEvaluation(bundle, documents, now), signer, cancellation);
        if (!known.Any(signed => BomStatement.IsOurs(signed.Statement)))
            Attestation.Attach(layout, bundle, BomStatement.Of(bundle, documents, model, code, new HostPackages(), options.ToolVersion, cancellation), signer, cancellation);
        if (account.Gates is { } gates && !(GateVerdict.Find(bundle, known) is { } said && said.Report.SaysTheSameAs(gates)))
            Attestation.Attach(layout, bundle, VerdictStatement.OfGates(gates, documents, now), signer, cancellation);
    }

    private static RunRecord Outcome(RunRecord record, RunAccount account) => record with
    {
        State = account.DataAreValid ? RunState.Succeeded : RunState.Failed,
        Validation = [.. account.Validation.Select(ValidationSummary.Of)],
        Stages = account.Stages,
        Evaluation = account.Evaluation,
        Bundle = account.Bundle?.Digest,
        Verdict = account.Gates?.Verdict,
    };
}
