using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Statements;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Processes;

namespace Slipway.Pipeline.Sealing;

/// <summary>What git says of the work tree that a project lies in. Attested, never sealed.</summary>
/// <param name="Commit">Of HEAD, hex.</param>
/// <param name="Remote">URL of <c>origin</c> without user and password; null when there is none, or it is a folder.</param>
/// <param name="IsDirty">Whether files of the project differ from the commit, or are not in it.</param>
internal sealed record SourceRevision(string Commit, string? Remote, bool IsDirty)
{
    /// <summary>A look at a work tree is local and takes milliseconds; a file system that hangs must not hang the run.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), Grace = TimeSpan.FromSeconds(1);

    /// <summary>Asks git.</summary>
    /// <param name="folder">The project's root.</param>
    /// <param name="scratch">A folder that is there, for git's answers.</param>
    /// <param name="environment">The caller's variables; git gets PATH and HOME of them.</param>
    /// <returns>Null without git, outside a work tree, before the first commit, where the project is ignored, and when git does not answer.</returns>
    public static async Task<SourceRevision?> FindAsync(string folder, string scratch, IReadOnlyDictionary<string, string> environment, CancellationToken cancellation)
    {
        var git = new Git(folder, scratch, environment);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Patience);
        try
        {
            if (await git.Ask(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], deadline.Token) is not { } commit || await git.Ask(["check-ignore", "--quiet", "."], deadline.Token) is not null)
                return null;
            if (await git.Ask(["status", "--porcelain", "--untracked-files=normal", "--", "."], deadline.Token) is not { } changes)
                return null;
            var remote = await git.Ask(["config", "--get", "remote.origin.url"], deadline.Token);
            return new SourceRevision(commit.Trim(), remote is null ? null : Public(remote.Trim()), changes.Length > 0);
        }
        catch (SlipwayException)
        {
            return null;        // no git here
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    internal ResourceDescriptor ToResource() => new(
        "source",
        Remote is null ? null : $"git+{Remote}@{Commit}",
        ImmutableSortedDictionary<string, string>.Empty.Add("gitCommit", Commit),
        IsDirty ? ImmutableSortedDictionary<string, JsonElement>.Empty.Add("dirty", True) : null);

    /// <summary>The remote as a URL that may be published: a token in it must not reach a document, nor a path of this machine.</summary>
    internal static string? Public(string remote)
    {
        if (!Uri.TryCreate(remote, UriKind.Absolute, out var uri))
        {
            // git's short form of ssh: user@host:path
            var colon = remote.IndexOf(':');
            if (colon <= 0 || remote.AsSpan(0, colon).Contains('/') || !Uri.TryCreate($"ssh://{remote[..colon]}/{remote[(colon + 1)..].TrimStart('/')}", UriKind.Absolute, out uri))
                return null;
        }

        if (uri.IsFile || uri.Host.Length == 0)
            return null;
        return new UriBuilder(uri) { UserName = "", Password = "", Query = "", Fragment = "", Port = uri.IsDefaultPort ? -1 : uri.Port }.Uri.AbsoluteUri;
    }

    private static JsonElement True
    {
        get
        {
            using var document = JsonDocument.Parse("true");
            return document.RootElement.Clone();
        }
    }

    /// <summary>One work tree to ask; each answer passes through a file of its own.</summary>
    private sealed class Git(string folder, string scratch, IReadOnlyDictionary<string, string> environment)
    {
        /// <summary>Bytes of an answer that are read; a work tree with more changes is as dirty as one with fewer.</summary>
        private const int MaxAnswer = 64 * 1024;

        /// <returns>Null when git says no.</returns>
        public async Task<string?> Ask(string[] question, CancellationToken cancellation)
        {
            var answer = AtomicFile.TemporaryBeside(Path.Combine(scratch, "git"));
            var variables = new Dictionary<string, string>
            {
                ["PATH"] = environment.GetValueOrDefault("PATH", "/usr/bin:/bin"),
                ["HOME"] = environment.GetValueOrDefault("HOME", "/"),
                ["LC_ALL"] = "C",
                ["GIT_OPTIONAL_LOCKS"] = "0",       // looking must not write
                ["GIT_TERMINAL_PROMPT"] = "0",
            };
            try
            {
                var exit = await ChildProcess.RunAsync(new ChildCommand(["git", .. question], folder, variables, answer), Grace, cancellation);
                return exit.Succeeded ? Read(answer) : null;
            }
            finally
            {
                File.Delete(answer);
            }
        }

        private static string Read(string path)
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[Math.Min(file.Length, MaxAnswer)];
            file.ReadExactly(bytes);
            return System.Text.Encoding.UTF8.GetString(bytes);
        }
    }
}
