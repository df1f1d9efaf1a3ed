using System.Collections.Immutable;
using System.Diagnostics;
using Slipway.Documents.Reading;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Policies;

/// <summary>Reads a policy file: all faults at once, each with file, line and column.</summary>
public static class PolicyParser
{
    /// <param name="folder">Absolute path of the folder that <paramref name="path"/> is relative to.</param>
    /// <exception cref="SlipwayException">The file is missing or unusable (exit 2), or may not be read (exit 3).</exception>
    public static Policy Load(string folder, string path) => Parse(path, UserFile.Read(folder, path, "policy", "Name a policy file; 'slipway schema policy' prints its keys."));

    /// <param name="file">What faults call it.</param>
    /// <param name="content">UTF-8, at most 1 MiB.</param>
    /// <exception cref="SlipwayException">The file is unusable (exit 2).</exception>
    public static Policy Parse(string file, ReadOnlyMemory<byte> content)
    {
        var faults = new FaultList();
        var root = YamlTree.Read(file, content.Span, "policy", faults);
        if (!PolicyGrammar.File.TryRead(root, new Label("the policy file", new Place(file, 1, 1)), faults, out var models))
        {
            faults.ThrowIfAny();
            throw new UnreachableException("a policy was not read and no fault says why");
        }

        var policy = new Policy(models.Where(model => model.Value is not null).ToImmutableSortedDictionary(model => model.Name, model => Channels(model.Value!, faults), StringComparer.Ordinal));
        faults.ThrowIfAny();
        return policy;
    }

    private static ImmutableSortedDictionary<string, ChannelPolicy> Channels(ModelPolicyDraft model, FaultList faults)
    {
        var channels = ImmutableSortedDictionary.CreateBuilder<string, ChannelPolicy>(StringComparer.Ordinal);
        foreach (var (name, channel) in new[] { (ReleasePlan.Staging, model.Staging), (ReleasePlan.Production, model.Production) })
        {
            if (channel is null)
                continue;
            channels[name] = channel.Value.Policy;
            if (!channel.IsSound)
                continue;
            foreach (var broken in PolicyRules.Check(channel.Value.Policy))
                faults.Add(channel.Value.At, "bad-value", broken.Message, broken.Help);
        }

        return channels.ToImmutable();
    }
}
