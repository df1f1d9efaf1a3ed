using System.Buffers.Binary;

namespace Slipway.Server.Judging;

/// <summary>Whose first bad event was seen: a set of bounded size, of all users at first and then of ever smaller random parts of them.</summary>
/// <remarks>
/// A full set is halved by one bit of a mixed hash of each user, and only users on the kept side are followed from then on. Whether a user
/// is followed hangs on the hash and on earlier events alone, never on the arm or the outcome of the event at hand, so leaving the
/// others out biases nothing. Hashes are mixed anew, since arms were assigned by them.
/// </remarks>
internal sealed class FollowedUsers
{
    /// <summary>256 KiB of hashes in the stored state: thousands of events are left after each halving, where a verdict needs hundreds.</summary>
    public const int Most = 32_768;

    private readonly HashSet<ulong> seen;

    public FollowedUsers() => seen = [];

    /// <exception cref="FormatException">The bytes are no such set.</exception>
    public FollowedUsers(ReadOnlySpan<byte> users, int halvings)
    {
        if (users.Length % sizeof(ulong) != 0 || users.Length > Most * sizeof(ulong) || halvings is < 0 or > 63)
            throw new FormatException($"{users.Length} bytes and {halvings} halvings are no set of at most {Most} users");
        seen = new HashSet<ulong>(users.Length / sizeof(ulong));
        Halvings = halvings;
        for (; !users.IsEmpty; users = users[sizeof(ulong)..])
        {
            var user = BinaryPrimitives.ReadUInt64LittleEndian(users);
            if (!IsFollowed(user) || !seen.Add(user))
                throw new FormatException("a user stands twice, or is not one of those followed");
        }
    }

    /// <summary>One user in 2^this is followed.</summary>
    public int Halvings { get; private set; }

    /// <summary>Whether this is the first time, of a user who is followed.</summary>
    public bool IsFirst(ulong user)
    {
        var mixed = Mix(user);
        if (!IsFollowed(mixed) || !seen.Add(mixed))
            return false;
        while (seen.Count > Most)
        {
            Halvings++;
            seen.RemoveWhere(other => !IsFollowed(other));
        }

        return true;
    }

    /// <summary>The set, ascending: equal sets give equal bytes.</summary>
    public byte[] ToBytes()
    {
        var users = seen.ToArray();
        Array.Sort(users);
        var bytes = new byte[users.Length * sizeof(ulong)];
        for (var i = 0; i < users.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong)), users[i]);
        return bytes;
    }

    private bool IsFollowed(ulong mixed) => mixed << Halvings >> Halvings == mixed;

    /// <summary>Every bit of the result hangs on every bit of the user; no two users share a result. Source: SplitMix64's finaliser (Steele, Lea, Flood, 2014).</summary>
    private static ulong Mix(ulong user)
    {
        user = (user ^ (user >> 30)) * 0xBF58476D1CE4E5B9;
        user = (user ^ (user >> 27)) * 0x94D049BB133111EB;
        return user ^ (user >> 31);
    }
}
