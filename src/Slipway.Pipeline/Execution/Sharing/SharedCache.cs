using System.Collections.Concurrent;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;
using Slipway.Store.Registries;
using Slipway.Trust.Policies;
using Slipway.Trust.Verification;

namespace Slipway.Pipeline.Execution.Sharing;

/// <summary>The step cache that several machines share, for one run: entries are taken where this machine knows no outputs, and put there when it has made some.</summary>
/// <remarks>Whatever is wrong with it costs a remark and never the run: the stage is executed. What does not answer is not asked again. Thread-safe.</remarks>
public sealed class SharedCache : IDisposable
{
    /// <summary>Entries that are sent at a time, each with several blobs: beside stages that work.</summary>
    private const int SentAtATime = 2;

    private readonly IStepPlace place;
    private readonly SharedCacheOptions options;
    private readonly SemaphoreSlim sending = new(SentAtATime);
    private readonly SemaphoreSlim signing = new(1);
    private readonly ConcurrentBag<Task> sent = [];
    private readonly ConcurrentDictionary<Digest, bool> refused = [];
    private int closed;

    internal SharedCache(IStepPlace place, SharedCacheOptions options) => (this.place, this.options) = (place, options);

    /// <param name="folder">Absolute path; made by the first run that puts something there.</param>
    public static SharedCache OfFolder(string folder, SharedCacheOptions options) =>
        new(new SharedFolder(folder, isMade: options.Signer is not null), options);

    /// <param name="client">Disposed with the cache.</param>
    public static SharedCache OfRegistry(RegistryClient client, SharedCacheOptions options) => new(new SharedRepository(client), options);

    /// <summary>Whether outputs of a stage may go from machine to machine.</summary>
    /// <remarks>Not of one that always runs, and not of one with secrets, from which its outputs may be derived.</remarks>
    internal static bool Takes(StageSpec stage) => !stage.RunsAlways && stage.Secrets is null;

    /// <summary>Takes what a step gave elsewhere into the content store.</summary>
    /// <param name="atLeast">What must have held the step to its declaration.</param>
    /// <returns>Null where there is nothing that counts; all of its outputs are durable otherwise.</returns>
    internal async Task<(StepRecord Record, SharedOrigin Origin)?> TakeAsync(
        StepKeyDocument step, Isolation atLeast, ContentStore objects, Action<string> remark, CancellationToken cancellation)
    {
        if (Volatile.Read(ref closed) != 0)
            return null;
        try
        {
            if (options.Trusted.IsEmpty && options.Signer is null)
            {
                throw new SlipwayException(ExitCode.NotThere, new Fault(
                    "no-trusted-key", "there is no trusted key, so that nothing in it counts",
                    Help: "put your builders' public keys into your key folder, or name them in trust.yaml"));
            }

            if (await FindAsync(step, atLeast, cancellation) is not { } found)
                return null;
            await new EntryDownload(place, found.Entry, objects).RunAsync(found.Record.Outputs, cancellation);
            return (found.Record, new SharedOrigin(place.Name, found.Signed.Key.KeyId, found.Signed.Signer));
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.NotThere)
        {
            Close(e, remark);
        }
        catch (Exception e) when (IsCut(e))
        {
            Close(Cut(e), remark);
        }
        catch (SlipwayException e)
        {
            refused[step.Key()] = true;
            remark($"the shared cache {place.Name} has an entry that does not count, so that the stage runs: {Told(e)}");
        }

        return null;
    }

    /// <summary>Begins to put there what a step has just given on this machine, unless it has an entry that counts.</summary>
    /// <param name="done">Told the place, and the bytes of the outputs, when they are there.</param>
    internal void Offer(StepRecord record, ContentStore objects, Action<string> remark, Action<string, long> done, CancellationToken cancellation)
    {
        if (options.Signer is not null && Volatile.Read(ref closed) == 0)
            sent.Add(Task.Run(() => SendAsync(record, objects, remark, done, cancellation), CancellationToken.None));
    }

    /// <summary>Waits for all that was begun; never throws.</summary>
    internal Task FinishAsync() => Task.WhenAll(sent);

    public void Dispose()
    {
        place.Dispose();
        sending.Dispose();
        signing.Dispose();
    }

    private async Task<(StepEntry Entry, StepRecord Record, OpenedDocument Signed)?> FindAsync(StepKeyDocument step, Isolation atLeast, CancellationToken cancellation)
    {
        if (await LookAsync(step.Key(), cancellation) is not { } manifest)
            return null;
        var entry = StepEntry.Parse(manifest.Span);
        var bytes = await EntryDownload.ReadAsync(place, entry.Signed, StepEntry.MaxRecordBytes, cancellation);
        var signed = SignedDocument.Open(bytes, StepEntry.Type, options.Trusted, TrustPolicy.Provenance, options.Signer?.PublicKey);
        return (entry, StepEntry.Judge(signed, step, atLeast), signed);
    }

    /// <summary>Whether there is an entry, within the patience: also of a folder, whose file system may hang.</summary>
    private async Task<ReadOnlyMemory<byte>?> LookAsync(Digest key, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var look = Task.Run(() => place.FindAsync(key, patience.Token), patience.Token);
        try
        {
            return await look.WaitAsync(options.Patience, options.Clock, cancellation);
        }
        catch (TimeoutException e)
        {
            await patience.CancelAsync();
            _ = look.ContinueWith(static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw new SlipwayException(
                ExitCode.NotThere,
                new Fault("cache-silent", $"it did not answer within {options.Patience.TotalSeconds:0.#} s", Help: "is the address right, and is the network there?"),
                e);
        }
    }

    private async Task SendAsync(StepRecord record, ContentStore objects, Action<string> remark, Action<string, long> done, CancellationToken cancellation)
    {
        try
        {
            await sending.WaitAsync(cancellation);
            try
            {
                if (Volatile.Read(ref closed) == 0 && !await HasAsync(record, cancellation))
                    done(place.Name, await PutAsync(record, objects, cancellation));
            }
            finally
            {
                sending.Release();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The run has ended: what was not sent is sent by whoever executes the stage again.
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.NotThere)
        {
            Close(e, remark);
        }
        catch (Exception e) when (IsCut(e))
        {
            Close(Cut(e), remark);
        }
        catch (SlipwayException e)
        {
            remark($"its outputs were not put into the shared cache {place.Name}: {Told(e)}");
        }
    }

    /// <summary>Whether an entry is there that counts for as much as this record would.</summary>
    private async Task<bool> HasAsync(StepRecord record, CancellationToken cancellation)
    {
        if (refused.ContainsKey(record.Step.Key()))
            return false;
        try
        {
            return await FindAsync(record.Step, record.Isolation, cancellation) is not null;
        }
        catch (SlipwayException e) when (e.Exit != ExitCode.NotThere)
        {
            return false;
        }
    }

    private async Task<long> PutAsync(StepRecord record, ContentStore objects, CancellationToken cancellation)
    {
        var upload = new EntryUpload(place, objects, anew: refused.ContainsKey(record.Step.Key()));
        var payload = CanonicalJson.Serialize(record, StepJson.Default.StepRecord);
        byte[] signed;
        await signing.WaitAsync(cancellation);
        try
        {
            signed = SignedDocument.Sign(StepEntry.Type, payload, options.Signer!);
        }
        finally
        {
            signing.Release();
        }

        return await upload.RunAsync(record, signed, cancellation);
    }

    private void Close(SlipwayException why, Action<string> remark)
    {
        if (Interlocked.Exchange(ref closed, 1) == 0)
            remark($"the shared cache {place.Name} is not used any more in this run: {Told(why)}");
    }

    /// <summary>What file systems and networks throw in the middle of a file.</summary>
    private static bool IsCut(Exception e) => e is IOException or UnauthorizedAccessException or HttpRequestException or TimeoutException;

    private static SlipwayException Cut(Exception e) =>
        new(ExitCode.NotThere, new Fault("cache-cut", $"it failed in the middle: {ForeignText.Shown(e.Message)}", Help: "the next run asks it again"), e);

    private static string Told(SlipwayException e) => $"{e.Faults[0].Message} ({e.Faults[0].Code}){(Help(e.Faults[0]) is { } help ? "; " + help : "")}";

    /// <summary>A registry's refusals name options of other verbs.</summary>
    private static string? Help(Fault fault) => fault.Code switch
    {
        "registry-unauthorized" => "log in with `docker login`, whose credentials are used",
        "registry-certificate" => "install the issuer's certificate in the system, or name it in SSL_CERT_FILE; only on this machine itself a registry may go without TLS",
        "registry-denied" => fault.Help,
        _ when fault.Code.StartsWith("registry-", StringComparison.Ordinal) => "is the address right, and is the network there? the next run asks it again",
        _ => fault.Help,
    };
}
