using System.CommandLine;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution.Sharing;
using Slipway.Primitives.Faults;
using Slipway.Store.Registries;
using Slipway.Trust.Policies;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>Which cache a verb that runs stages shares with other machines, and whether it writes there: the spec says where at most, never that.</summary>
/// <param name="mayPush">Whether the verb has a key to sign by.</param>
internal sealed class CacheOption(bool mayPush)
{
    /// <summary>The place, for all runs of a machine; below the option, above the spec.</summary>
    public const string PlaceVariable = "SLIPWAY_CACHE";

    /// <summary>Set to 1, as <c>--cache-push</c>.</summary>
    public const string PushVariable = "SLIPWAY_CACHE_PUSH";

    /// <summary>Instead of a place: none, whatever the spec says.</summary>
    private const string Nowhere = "none";

    /// <summary>How long a registry may say nothing in the middle of a blob: a cache that is slower than work is none.</summary>
    private static readonly TimeSpan silence = TimeSpan.FromSeconds(15);

    /// <summary>Requests for the same, in all: stages wait meanwhile.</summary>
    private const int Attempts = 3;

    private readonly Option<string?> place = new("--cache")
    {
        Description = $"Shared step cache to take outputs from: a folder (./DIR, /DIR) or HOST/REPOSITORY, or none; default: ${PlaceVariable}, or what cache: in the spec says",
        HelpName = "PLACE",
    };

    private readonly Option<bool> push = new("--cache-push") { Description = $"Also sign what is executed, and put it there; default: whether ${PushVariable} is 1" };

    public void AddTo(Command verb)
    {
        verb.Options.Add(place);
        if (mayPush)
            verb.Options.Add(push);
    }

    /// <summary>Where it is; null for nowhere.</summary>
    /// <param name="spec">Null where it cannot be read, which others tell.</param>
    /// <exception cref="SlipwayException">It is no place, or something is to be pushed nowhere (exit 2).</exception>
    public CachePlace? Place(ParseResult parsed, Shell shell, Spec? spec)
    {
        var (named, standing) = (parsed.GetValue(place), Environment.GetEnvironmentVariable(PlaceVariable));
        var found = (named, standing) switch
        {
            ({ } text, _) => Of(text, "--cache"),
            (_, { Length: > 0 } text) => Of(text, "$" + PlaceVariable),
            _ => spec?.Cache is { Folder: { } folder } ? new CachePlace(Path.GetFullPath(folder, shell.Project.Root), null) : spec?.Cache,
        };
        return found is not null || !mayPush || !parsed.GetValue(push)
            ? found
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", "--cache-push is given, and there is no shared cache", Help: "name it: --cache PLACE, or cache: in the spec"));

        CachePlace? Of(string text, string from)
        {
            if (text == Nowhere)
                return null;
            var parsedPlace = CachePlace.Parse(text, from);
            return parsedPlace.Folder is { } folder ? new CachePlace(shell.PathOf(folder), null) : parsedPlace;
        }
    }

    /// <summary>Whether what is executed is put there.</summary>
    /// <exception cref="SlipwayException">The variable says something else than 0 and 1 (exit 2).</exception>
    public bool Pushes(ParseResult parsed)
    {
        if (!mayPush)
            return false;
        return parsed.GetValue(push) || Environment.GetEnvironmentVariable(PushVariable) switch
        {
            null or "" or "0" => false,
            "1" => true,
            _ => throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-cache", $"${PushVariable} is neither 0 nor 1", Help: "set it to 1 where what is executed is to be shared")),
        };
    }

    /// <summary>Opens it for one run.</summary>
    /// <param name="signer">Null where nothing is put there.</param>
    /// <returns>Null, after a warning, where docker's credentials for it cannot be read: a run needs no cache.</returns>
    public static async Task<SharedCache?> OpenAsync(Shell shell, CachePlace place, TrustPolicy trusted, ISigner? signer, TimeProvider clock, CancellationToken cancellation)
    {
        var options = new SharedCacheOptions { Trusted = trusted, Signer = signer, Clock = clock };
        if (place.Repository is not { } repository)
            return SharedCache.OfFolder(place.Folder!, options);
        try
        {
            var access = new RegistryAccess(false, null, false) { Options = new RegistryOptions { Silence = silence, Attempts = Attempts } };
            return SharedCache.OfRegistry(await access.OpenAsync(repository, cancellation), options);
        }
        catch (SlipwayException e)
        {
            shell.Warn($"the shared cache {place} is not used in this run: {e.Faults[0]}{(e.Faults[0].Help is { } help ? "; " + help : "")}");
            return null;
        }
    }
}
