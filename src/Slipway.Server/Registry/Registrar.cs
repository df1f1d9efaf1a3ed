using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents;
using Slipway.Documents.Bundles;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Gates;
using Slipway.Documents.Ledger;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Store.Oci;
using Slipway.Trust.Policies;
using Slipway.Trust.Verification;

namespace Slipway.Server.Registry;

/// <summary>Makes a version of an uploaded bundle, after verifying every byte of it and judging its gates anew. What fails leaves nothing.</summary>
internal sealed class Registrar(Database database, LedgerWriter ledger, BundleStore store, PlanSetter plans, TimeProvider time)
{
    /// <summary>Bundles that this process verifies at once; each reads its layers once, and more would only wait for the same disk.</summary>
    private const int MostAtOnce = 2;

    /// <summary>Attestations that one entry of the ledger names: 200 bytes each, of 65,535. Those above have no proof of their time.</summary>
    private const int MostNamed = 250;

    private static readonly SemaphoreSlim verifying = new(MostAtOnce, MostAtOnce);

    /// <exception cref="SlipwayException">It does not verify, or contradicts itself (exit 1); blobs are missing (exit 2): every problem.</exception>
    /// <exception cref="ApiProblem">The push itself is malformed (400), or keys changed meanwhile (409).</exception>
    public async Task<VersionRegistration> RegisterAsync(Caller caller, string model, VersionPush push, CancellationToken cancellation)
    {
        Check(model, push);
        var examined = await ExamineAsync(caller, model, push, cancellation);
        if (GateReview.Contradiction(examined.Gates, examined.Attested) is { } contradiction)
        {
            await database.ChangeAsync(session => RecordRefusalAsync(session, caller, model, push, examined.Gates, contradiction), cancellation);
            throw new SlipwayException(ExitCode.BadVerdict, contradiction);
        }

        return await database.ChangeAsync(session => EnterAsync(session, caller, model, push, examined), cancellation);
    }

    private static void Check(string model, VersionPush push)
    {
        if (!Spec.IsName(model))
            throw ApiProblem.Malformed("bad-model", "the model's name is allowed to be a lower-case letter, then up to 62 lower-case letters, digits, - and _");
        if (push.Attestations.IsDefault || push.Attestations.Length > VersionPush.MostAttestations)
            throw ApiProblem.Malformed("bad-request", $"a push names at most {VersionPush.MostAttestations} attestations");
        if (push.Plan is { } plan && PlanRules.Check(plan) is { IsEmpty: false } faults)
            throw ApiProblem.Malformed(faults);
    }

    /// <summary>All that takes long, outside of any change.</summary>
    private async Task<Examined> ExamineAsync(Caller caller, string model, VersionPush push, CancellationToken cancellation)
    {
        var blobs = store.Closure(push.Bundle, push.Attestations);
        var (keys, strange) = await database.ReadAsync(
            async session => (await TrustedKeyTable.ListAsync(session), await BlobTable.StrangeAsync(session, caller, blobs.Select(blob => blob.Digest), time.GetUtcNow().ToUnixTimeMilliseconds())), cancellation);
        if (strange.Length > 0)
            throw new SlipwayException(ExitCode.UnusableInput, [.. strange.Select(blob => new Fault("blob-missing", $"blob {blob} was not uploaded by {caller.Name}", Help: "`slipway push` uploads what is missing"))]);

        if (Signatures.Ring(keys) is not { IsEmpty: false } ring)
            throw new SlipwayException(ExitCode.BadVerdict, Signatures.ProvenanceMissing(keys, [])!);

        await verifying.WaitAsync(cancellation);
        try
        {
            var verification = await Task.Run(() => BundleVerifier.Verify(store.Layout, push.Bundle, push.Attestations, TrustPolicy.AnySignature(ring), cancellation), cancellation);
            if (verification.Bundle is not { } bundle)
                throw new SlipwayException(ExitCode.BadVerdict, [.. verification.Problems, .. Signatures.Revocations(keys, verification.Problems)]);
            var documents = (await Task.Run(() => BundleDocuments.Read(bundle, cancellation), cancellation)).Require();
            var statements = Signatures.Entitled(keys, bundle.Statements);
            var problems = new[]
            {
                Signatures.ProvenanceMissing(keys, statements),
                documents.Spec.Name == model ? null : new Fault("model-contradicts-bundle", $"the bundle is of the model '{documents.Spec.Name}', and is pushed as '{model}'", Help: $"push it as {documents.Spec.Name}"),
            }.OfType<Fault>().ToArray();
            if (problems.Length > 0)
                throw new SlipwayException(ExitCode.BadVerdict, problems);

            var (baseline, missing) = await database.ReadAsync(session => GateReview.BaselineAsync(session, model, documents), cancellation);
            var gates = GateReview.Judge(push.Bundle, documents, baseline, missing);
            // Without the baseline the two cannot agree; the server's own verdict is then insufficient, and that is what counts.
            var attested = missing is null ? GateVerdict.Find(push.Bundle, statements) : null;
            ImmutableArray<string> notes = [.. verification.Notes, .. Signatures.Strays(keys, bundle.Statements), .. missing is null ? [] : new[] { missing }, .. push.Plan?.Monitor is { } monitor ? WatchedModel.NeverJudged(documents.Spec, monitor) : []];
            // Statements that nobody believes are not handed on to gateways either.
            var kept = store.Closure(push.Bundle, statements.Select(statement => statement.Manifest));
            return new Examined(documents, gates, attested, statements, kept, notes);
        }
        finally
        {
            verifying.Release();
        }
    }

    private async Task<VersionRegistration> EnterAsync(Session session, Caller caller, string model, VersionPush push, Examined examined)
    {
        var keys = await TrustedKeyTable.ListAsync(session);
        if (Signatures.Entitled(keys, examined.Statements).Length != examined.Statements.Length)
            throw ApiProblem.Conflict("keys-changed", "a key that vouches for this bundle was revoked while it was verified", "push again");

        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var plan = await PlanAsync(session, caller, model, push, now);
        var known = await VersionTable.FindAsync(session, push.Bundle);
        if (known is not null)
            await NoteAgainAsync(session, caller, push, known, examined, now);
        var version = known ?? await InsertAsync(session, caller, model, push, examined, plan.Digest, now);
        return new VersionRegistration(version, known is null, plan, examined.Notes);
    }

    private async Task<ModelVersion> InsertAsync(Session session, Caller caller, string model, VersionPush push, Examined examined, Digest plan, long now)
    {
        var number = (int)await VersionTable.LastNumberAsync(session, model) + 1;
        var signers = examined.Statements.Select(statement => statement.Signer.KeyId).Distinct().Order(StringComparer.Ordinal);
        var version = new ModelVersion(model, number, push.Bundle, plan, examined.Gates, [.. signers], caller.Id, caller.Name, now, push.Reason);
        await ledger.RecordAsync(
            session, caller, "version.registered", [LedgerSubject.OfVersion(model, number, push.Bundle), LedgerSubject.OfModel(model, plan), .. Attestations(model, number, examined)], push.Reason,
            JsonSerializer.SerializeToElement(examined.Gates, DocumentJson.Default.GateReport));
        var documents = examined.Documents;
        await VersionTable.InsertAsync(
            session, version, new SealedEvidence(documents.Evaluation, documents.Replicates, documents.Lineage),
            new SealedProfile(documents.Spec.Model!.Task, documents.Signature, documents.Reference, documents.Evaluation?.Metrics ?? ImmutableSortedDictionary<string, Figure>.Empty));
        await CardTable.AddAsync(session, push.Bundle, SealedCard.Of(documents));
        await VersionTable.NotePushAsync(session, push.Bundle, caller, now);
        await VersionTable.AddAttestationsAsync(session, push.Bundle, examined.Statements);
        await BlobTable.AddAsync(session, push.Bundle, examined.Blobs);
        return version;
    }

    /// <summary>The same bundle once more: the same version. New is at most who pushed it, and what is attached to it.</summary>
    private async Task NoteAgainAsync(Session session, Caller caller, VersionPush push, ModelVersion version, Examined examined, long now)
    {
        var isNewPusher = await VersionTable.NotePushAsync(session, push.Bundle, caller, now);
        var attached = await VersionTable.AddAttestationsAsync(session, push.Bundle, examined.Statements);
        await BlobTable.AddAsync(session, push.Bundle, examined.Blobs);
        if (isNewPusher || attached > 0)
            await ledger.RecordAsync(session, caller, "version.pushed-again", [LedgerSubject.OfVersion(version.Model, version.Number, version.Bundle), .. Attestations(version.Model, version.Number, examined)], push.Reason);
    }

    /// <summary>So that a proof of the entry shows later that their signatures were there by now.</summary>
    private static IEnumerable<LedgerSubject> Attestations(string model, int number, Examined examined) =>
        examined.Statements.Select(statement => statement.Manifest).Distinct().Order().Take(MostNamed).Select(digest => LedgerSubject.OfAttestation(model, number, digest));

    private async Task<PlanVersion> PlanAsync(Session session, Caller caller, string model, VersionPush push, long now)
    {
        var current = await PlanTable.LatestAsync(session, model);
        var plan = push.Plan ?? current?.Plan ?? ReleasePlan.Default;
        return current is not null && current.Digest == plan.Digest ? current : await plans.SetAsync(session, caller, model, plan, (current?.Number ?? 0) + 1, push.Reason, now);
    }

    /// <summary>A forged verdict is worth an entry of its own: somebody signed what the evidence does not say.</summary>
    private async Task RecordRefusalAsync(Session session, Caller caller, string model, VersionPush push, GateReport own, Fault contradiction)
    {
        ImmutableArray<LedgerSubject> subjects = [LedgerSubject.OfModel(model, push.Bundle)];
        var data = JsonSerializer.SerializeToElement(own, DocumentJson.Default.GateReport);
        var intent = await ledger.AppendAsync(session, new LedgerAction(caller.Id, caller.Name, "version.registered", LedgerPhase.Intent, null, subjects, push.Reason, data));
        await ledger.AppendAsync(session, new LedgerAction(caller.Id, caller.Name, "version.registered", LedgerPhase.Failed, intent, subjects, contradiction.Message));
    }

    /// <param name="Gates">The server's own judgement.</param>
    /// <param name="Attested">What a key attested; null for nothing that can be compared.</param>
    /// <param name="Statements">Those that count: of trusted keys, each about what it may speak of.</param>
    private sealed record Examined(
        BundleDocuments Documents,
        GateReport Gates,
        GateVerdict? Attested,
        ImmutableArray<VerifiedStatement> Statements,
        ImmutableArray<OciDescriptor> Blobs,
        ImmutableArray<string> Notes);
}
